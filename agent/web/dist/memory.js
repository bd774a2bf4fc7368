/** What the page remembers between visits: choices only, never words. Storage may be forbidden: then nothing. */
export function recall(choice) {
    try {
        return localStorage.getItem(`visavis.${choice}`);
    }
    catch {
        return null;
    }
}
export function remember(choice, value) {
    try {
        localStorage.setItem(`visavis.${choice}`, value);
    }
    catch {
        // A private window: the choice holds until the page is closed.
    }
}
