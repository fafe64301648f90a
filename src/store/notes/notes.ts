/** Small facts by name: in one process, or shared by the processes of a run. */
export interface Notes {
  /** The fact of a name; undefined if there is none. */
  read(name: string): unknown
  /**
   * Writes down a fact that nobody else has written down.
   *
   * @returns whether it is ours: false if there is one of that name
   */
  add(name: string, fact: object): boolean
  /** Writes down a fact, in place of the one of that name. */
  write(name: string, fact: object): void
  remove(name: string): void
}

/** Facts that only this process knows, for as long as it lives. */
export class OwnNotes implements Notes {
  readonly #facts = new Map<string, object>()

  read(name: string): unknown {
    return this.#facts.get(name)
  }

  add(name: string, fact: object): boolean {
    if (this.#facts.has(name)) return false
    this.#facts.set(name, fact)
    return true
  }

  write(name: string, fact: object): void {
    this.#facts.set(name, fact)
  }

  remove(name: string): void {
    this.#facts.delete(name)
  }
}
