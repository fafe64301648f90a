import { StringDecoder } from 'node:string_decoder'
import { plainConsole } from '../../qemu/machine/clean-console.js'

/** Characters of a sequence after which it is taken for text. */
const LONGEST_SEQUENCE = 256

/** The beginning of an escape sequence, or of the end of a line. */
const UNFINISHED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /(?:\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)|\r+)$/

/** Makes text of what comes over a console, whatever parts it comes in: without escape sequences. */
export class ConsoleText {
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''

  /** @returns the text that is certain by now */
  add(bytes: Buffer): string {
    const raw = this.#rest + this.#decoder.write(bytes)
    const unfinished = UNFINISHED.exec(raw)?.[0] ?? ''
    this.#rest = unfinished.length > LONGEST_SEQUENCE ? '' : unfinished
    return plainConsole(raw.slice(0, raw.length - this.#rest.length))
  }
}
