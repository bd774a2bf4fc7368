export const PROTOCOL_VERSION = 1;
export const MAX_TEXT_CHARS = 4000;
