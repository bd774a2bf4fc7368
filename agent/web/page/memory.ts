/** What the page remembers between visits: choices only, never words. Storage may be forbidden: then nothing. */

type Choice = "persona" | "microphone" | "speaker";

export function recall(choice: Choice): string | null {
  try {
    return localStorage.getItem(`visavis.${choice}`);
  } catch {
    return null;
  }
}

export function remember(choice: Choice, value: string): void {
  try {
    localStorage.setItem(`visavis.${choice}`, value);
  } catch {
    // A private window: the choice holds until the page is closed.
  }
}
