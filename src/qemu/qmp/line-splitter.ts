const NEWLINE = 0x0a

/** Cuts a stream of bytes into lines of text. Characters may be split over chunks. */
export class LineSplitter {
  #rest: Uint8Array[] = []

  /** Takes the next chunk, and gives the lines that it completes. */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#rest.push(chunk.subarray(start, end))
      lines.push(Buffer.concat(this.#rest).toString('utf8').trim())
      this.#rest = []
      start = end + 1
    }
    if (start < chunk.length) this.#rest.push(chunk.subarray(start))
    return lines.filter((line) => line !== '')
  }
}
