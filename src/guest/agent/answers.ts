const NEWLINE = 0x0a
const SENTINEL = 0xff

/** One line from the guest agent. */
export interface Answer {
  /** The answer as JSON, or undefined where the line is not JSON: half an answer, line noise. */
  value: unknown
  /** Whether the byte 0xFF stood before it, as it does before the answer to `guest-sync-delimited`. */
  delimited: boolean
}

function parseLine(line: Buffer): Answer {
  // Whatever stands before 0xFF, a byte that no JSON holds, is the rest of an older answer.
  const start = line.lastIndexOf(SENTINEL)
  try {
    return { value: JSON.parse(line.toString('utf8', start + 1)), delimited: start >= 0 }
  } catch {
    return { value: undefined, delimited: start >= 0 }
  }
}

/**
 * Cuts what the guest agent sends into answers, one line each.
 *
 * @param onAnswer - called with each answer, in order
 * @returns a function that takes the next bytes
 */
export function answerReader(onAnswer: (answer: Answer) => void): (bytes: Buffer) => void {
  let pending: Buffer[] = []
  return (bytes) => {
    let rest = bytes
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      const line = Buffer.concat([...pending, rest.subarray(0, end)])
      pending = []
      rest = rest.subarray(end + 1)
      if (line.length > 0) onAnswer(parseLine(line))
    }
    if (rest.length > 0) pending.push(rest)
  }
}
