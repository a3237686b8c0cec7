const NAMED = 3;

/** Whether every subject of `pattern` falls under `grant`. */
export function covers(grant, pattern) {
  const [wide, narrow] = [grant.split("."), pattern.split(".")];
  const open = wide.at(-1) === ">";
  if (!open && (narrow.at(-1) === ">" || wide.length !== narrow.length)) return false;
  if (open && narrow.length < wide.length) return false;
  return (open ? wide.slice(0, -1) : wide).every((part, place) => part === narrow[place] || (part === "*" && narrow[place] !== ">"));
}

/** What may be followed: patterns in `allow`, and none that lies within one of `deny`. */
export class Rights {
  constructor({ allow, deny }) {
    this.allow = allow;
    this.deny = deny;
  }

  get all() {
    return this.allow.length === 1 && this.allow[0] === ">";
  }

  mayFollow(pattern) {
    return this.allow.some((grant) => covers(grant, pattern)) && !this.deny.some((denial) => covers(denial, pattern));
  }

  /** "You may follow orders.>, telemetry.> and 2 more."; "" where that is everything. */
  get sentence() {
    if (this.all) return "";
    if (!this.allow.length) return "You may follow nothing.";
    const more = this.allow.length - NAMED;
    return `You may follow ${this.allow.slice(0, NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}.`;
  }
}
