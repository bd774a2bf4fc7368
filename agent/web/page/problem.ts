/** What can go wrong, in words for the person in front of the screen: what happened, what to do. */

export type ProblemReason =
  | "mic-denied"
  | "mic-missing"
  | "mic-busy"
  | "mic-lost"
  | "insecure"
  | "no-webrtc"
  | "server-gone"
  | "busy"
  | "warming"
  | "unauthorized"
  | "persona-gone"
  | "session-gone"
  | "offer-refused"
  | "no-path"
  | "lost"
  | "server-error";

interface Details {
  /** The server's own words, when it gave some. */
  said?: string;
  /** Seconds to wait before another try, when the server named them. */
  retryAfterS?: number | undefined;
}

export class Problem extends Error {
  private constructor(
    readonly reason: ProblemReason,
    readonly title: string,
    readonly advice: string,
    readonly retryAfterS?: number | undefined,
  ) {
    super(title);
    this.name = "Problem";
  }

  static micDenied(): Problem {
    return new Problem(
      "mic-denied",
      "The microphone is blocked",
      "Allow it beside the address of this page, then try again. Until then, type.",
    );
  }

  static micMissing(): Problem {
    return new Problem(
      "mic-missing",
      "No microphone found",
      "Plug one in or switch it on, then try again. Until then, type.",
    );
  }

  static micBusy(): Problem {
    return new Problem(
      "mic-busy",
      "The microphone could not be opened",
      "Another program may hold it: close that one, then try again. Until then, type.",
    );
  }

  static micLost(): Problem {
    return new Problem(
      "mic-lost",
      "The microphone went away",
      "It was unplugged or switched off. Plug it in and try again, or go on typing.",
    );
  }

  static insecure(): Problem {
    return new Problem(
      "insecure",
      "No microphone on this address",
      "Browsers lend the microphone to https pages and to this machine only. " +
        "Open the page over https or as http://localhost. Until then, type.",
    );
  }

  static noWebRtc(): Problem {
    return new Problem(
      "no-webrtc",
      "This browser cannot make calls",
      "It has no WebRTC, or WebRTC is switched off. Use a current Firefox, Chrome, Edge or Safari.",
    );
  }

  static serverGone(): Problem {
    return new Problem(
      "server-gone",
      "The server does not answer",
      "It may have been stopped. Start it again with: make run. This page finds it by itself.",
    );
  }

  static busy({ retryAfterS }: Details = {}): Problem {
    return new Problem(
      "busy",
      "All lines are busy",
      `Every call this server can hold is taken. Try again ${inAWhile(retryAfterS)}.`,
      retryAfterS,
    );
  }

  static warming({ retryAfterS }: Details = {}): Problem {
    return new Problem(
      "warming",
      "The server is still warming up",
      "Its models are being loaded. The call starts by itself when they are there.",
      retryAfterS ?? 2,
    );
  }

  static unauthorized({ said }: Details = {}): Problem {
    return new Problem(
      "unauthorized",
      "The server wants a key",
      `${sentence(said)}Without a key it serves only the machine it runs on. Open the page there.`,
    );
  }

  static personaGone(): Problem {
    return new Problem(
      "persona-gone",
      "This persona is not there any more",
      "It was removed or renamed since the page was opened. Choose another one.",
    );
  }

  static sessionGone(): Problem {
    return new Problem(
      "session-gone",
      "The call is over",
      "The server no longer knows this call: it ended it or was started again. What was said stays here to read.",
    );
  }

  static offerRefused({ said }: Details = {}): Problem {
    return new Problem(
      "offer-refused",
      "The server refused the connection",
      `${sentence(said)}Try again; if it stays so, update the browser or look at the server's terminal.`,
    );
  }

  static noPath(): Problem {
    return new Problem(
      "no-path",
      "Sound and picture do not get through",
      "The server answered, but its media did not arrive. A firewall, proxy or VPN may block UDP " +
        "between this browser and the server.",
    );
  }

  static lost(): Problem {
    return new Problem(
      "lost",
      "The connection was lost",
      "The server could not be reached for half a minute. Look at your network and at the terminal " +
        "where Visavis runs, then call again.",
    );
  }

  static serverError({ said }: Details = {}): Problem {
    return new Problem(
      "server-error",
      "The server could not start the call",
      `${sentence(said)}Its terminal says more. Try again in a moment.`,
    );
  }
}

function inAWhile(retryAfterS: number | undefined): string {
  if (retryAfterS === undefined || retryAfterS <= 0) return "in a minute";
  return retryAfterS < 60 ? `in ${Math.ceil(retryAfterS)} seconds` : `in ${Math.ceil(retryAfterS / 60)} minutes`;
}

function sentence(said: string | undefined): string {
  if (!said) return "";
  const text = said.charAt(0).toUpperCase() + said.slice(1);
  return /[.!?]$/.test(text) ? `${text} ` : `${text}. `;
}
