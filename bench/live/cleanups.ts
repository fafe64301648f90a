/** What is to be undone at the end, last things first. */
export class Cleanups implements AsyncDisposable {
  readonly #steps: (() => Promise<void>)[] = []

  add(step: () => Promise<void>): void {
    this.#steps.push(step)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const step of this.#steps.reverse()) await step()
  }
}
