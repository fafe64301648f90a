/** Characters that are kept: more than one request prints. What else was written on the console may be any length. */
const KEPT = 2 ** 20

/** What comes over a console until a prompt: the end of it. */
export class UntilPrompt {
  readonly #prompt: string
  readonly #parts: string[] = []
  #size = 0
  /** What may be the beginning of the prompt. */
  #end = ''

  constructor(prompt: string) {
    this.#prompt = prompt
  }

  /** @returns what came before the prompt, once that has come */
  add(text: string): string | undefined {
    this.#parts.push(text)
    this.#size += text.length
    while (this.#size - (this.#parts[0] as string).length > KEPT) {
      this.#size -= (this.#parts.shift() as string).length
    }
    const end = this.#end + text
    const place = end.indexOf(this.#prompt)
    this.#end = end.slice(1 - this.#prompt.length)
    if (place === -1) return undefined
    const whole = this.#parts.join('')
    return whole.slice(0, whole.length - end.length + place)
  }
}
