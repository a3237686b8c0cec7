import { copyText } from "./clipboard.js";

/** Copies the address, which holds the view, and says so, or shows it where copying is not allowed. */
export async function share(toast) {
  const copied = await copyText(location.href);
  toast.show(copied ? "The link to this view is copied." : `The link to this view: ${location.href}`);
}
