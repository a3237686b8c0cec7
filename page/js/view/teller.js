const PITCH = 880; // Hz
const LENGTH = 0.25; // s
const LOUD = 0.15;
const BUZZ = 200; // ms

/** Reaches a reader who looks elsewhere: a tone, a notification of the desktop, a phone that buzzes. */
export class Teller {
  #audio = null;

  /** Why no notification can be shown, in a sentence; "" if it can, or may be asked for. */
  static get obstacle() {
    if (!globalThis.Notification) return globalThis.isSecureContext ? "This browser has no notifications." : "Notifications need https.";
    return Notification.permission === "denied" ? "Notifications are forbidden to this page in your browser." : "";
  }

  /** Asks the browser whether notifications may be shown; only what the reader presses may call it. */
  async ask() {
    await Notification.requestPermission();
    return Notification.permission === "granted";
  }

  tone() {
    try {
      this.#audio ??= new AudioContext();
      const { currentTime, destination } = this.#audio;
      const gain = this.#audio.createGain();
      const voice = this.#audio.createOscillator();
      gain.gain.setValueAtTime(LOUD, currentTime);
      gain.gain.exponentialRampToValueAtTime(0.001, currentTime + LENGTH);
      voice.frequency.value = PITCH;
      voice.connect(gain).connect(destination);
      voice.start();
      voice.stop(currentTime + LENGTH);
      this.#audio.resume();
    } catch {
      // no sound here, or no press on this page yet
    }
  }

  notify({ title, body }) {
    try {
      if (Notification.permission !== "granted") return;
      const shown = new Notification(title, { body, tag: "nats-live" });
      shown.onclick = () => globalThis.focus();
    } catch {
      // some phones show them to installed apps only
    }
  }

  buzz() {
    navigator.vibrate?.(BUZZ);
  }
}
