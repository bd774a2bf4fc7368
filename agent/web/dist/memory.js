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
    }
}
