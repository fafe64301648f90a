import { monotonic } from '../../params/clocks.js'
/** Where to hear of QEMU's events: a part of `QmpClient`. */
export interface EventSource {
  on(name: string, listener: () => void): () => void
}

/** For how long the CPUs of a machine have run since QEMU was started, whatever it went back to meanwhile. */
export class RunningTime {
  /** Milliseconds until they were last let go. */
  #before = 0
  #since: number | undefined

  /** @param qmp - tells when they run */
  constructor(qmp: EventSource) {
    qmp.on('RESUME', () => {
      this.#since ??= monotonic()
    })
    qmp.on('STOP', () => this.end())
  }

  /** Milliseconds. */
  get elapsed(): number {
    return this.#before + (this.#since === undefined ? 0 : monotonic() - this.#since)
  }

  /** Tells that they stand still. */
  end(): void {
    this.#before = this.elapsed
    this.#since = undefined
  }
}
