/** Asks the reader for a token. It is handed on and not kept: not in the field, the address or a storage. */
export class SignIn {
  #form = document.getElementById("sign-in");
  #input = document.getElementById("token");

  constructor(take) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const token = this.#input.value.trim();
      this.#input.value = "";
      if (token) take(token);
    });
  }

  show(wanted) {
    if (this.#form.hidden !== wanted) return;
    this.#form.hidden = !wanted;
    const isBusy = document.activeElement?.value; // somebody types there: what follows is no token
    if (wanted && !isBusy) this.#input.focus({ preventScroll: true });
    else this.#input.value = "";
  }
}
