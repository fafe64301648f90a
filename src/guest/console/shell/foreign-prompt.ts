/** The whole last line of a console where there is a login, or a shell. */
const LOGIN = /^(?:\S+ )?login: ?$/
const SHELL = /[#$%>] ?$/

/** Characters at the end of a line that are looked at. */
const LOOKED_AT = 200

/**
 * Looks for a prompt that is not ours. Anything may write on a console what looks like one, but only a prompt is
 * there again, in a line of its own, each time that Enter is pressed.
 */
export class ForeignPrompt {
  readonly #ours: RegExp
  /** The end of the last line. */
  #line = ''
  #hasCome = true
  /** Whether what came since Enter began with a new line. */
  #isAnswer = false
  /** What is to be there again. */
  #suspect: string | undefined

  /** @param nonce - what our prompts begin with */
  constructor(nonce: string) {
    this.#ours = new RegExp(`^${nonce}\\.\\d+\\$ ?$`)
  }

  /** Takes what has come. */
  add(text: string): void {
    if (text === '') return
    if (!this.#hasCome) this.#isAnswer = text.startsWith('\n')
    this.#hasCome = true
    const line = this.#line + text
    this.#line = line.slice(line.lastIndexOf('\n') + 1).slice(-LOOKED_AT)
  }

  /** What is there, after some silence: `maybe` asks for Enter. */
  look(): 'login' | 'shell' | 'maybe' | 'none' {
    const isLogin = LOGIN.test(this.#line)
    if (!isLogin && (!SHELL.test(this.#line) || this.#ours.test(this.#line))) return 'none'
    if (this.#isAnswer && this.#line === this.#suspect) return isLogin ? 'login' : 'shell'
    return this.#suspect === undefined && (isLogin || this.#isAnswer) ? 'maybe' : 'none'
  }

  /** Tells that Enter is pressed. */
  enter(): void {
    this.#suspect = this.look() === 'maybe' ? this.#line : undefined
    this.#line = ''
    this.#hasCome = false
    this.#isAnswer = false
  }
}
