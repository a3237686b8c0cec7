/** Rows in the order in which they are seen, which may be held while somebody points at one of them. */
export class Standing {
  constructor() {
    this.rows = [];
    this.moves = 0; // rows that would have another place if the order were not held
  }

  /** Takes rows in their right order. If it is held, those that are there stay, and new ones come at the end. */
  take(rows, held) {
    if (held) {
      const fresh = new Set(rows);
      const kept = this.rows.filter((row) => fresh.delete(row));
      this.rows = [...kept, ...fresh];
    } else {
      this.rows = rows;
    }
    this.moves = held ? rows.filter((row, place) => row !== this.rows[place]).length : 0;
  }
}
