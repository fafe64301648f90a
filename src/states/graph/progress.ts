/** The steps of a build, in their order. */
export type BuildStep = 'start' | 'boot' | 'setup' | 'capture'

/** News of builds and of the machines that are started for them and for tests. */
export type BuildEvent =
  | {
      kind: 'step'
      /** As people call it: `debian/nginx`. */
      state: string
      /** `wait`: for another process that builds the state; `image`: until its image is there. */
      step: 'wait' | 'image' | BuildStep
      /** What is done, for people: `downloading`, `process 12 builds it`. */
      detail?: string
      /** Seconds that the state took when it was last built, whatever its key was then. */
      lastTook?: number
    }
  | {
      kind: 'built'
      state: string
      /** Seconds, without those for its parents. */
      seconds: number
    }
  | {
      kind: 'failed'
      state: string
      seconds: number
      /** One line: the step and why. */
      reason: string
      /** Absolute path of the whole log, if it could be kept. */
      log?: string | undefined
      /** Absolute paths of pictures of the machines' displays. */
      screens?: readonly string[] | undefined
    }
  | {
      kind: 'started'
      /** What the machine is started from. */
      state: string
      /** Of its QEMU. */
      pid: number
    }
  | {
      /** Something that people need to hear once in a run, however many tell it. */
      kind: 'notice'
      about: 'stale' | 'fallback'
      /** The state, or the machine or environment of which several are meant. */
      state: string
      /** One line. */
      text: string
    }
  | {
      /** Machines wait for memory that others on this host hold. */
      kind: 'memory'
      /** What they are for. */
      state: string
      /** How much, and who holds it: `592 MiB: node (process 12) holds 1 GiB for …`. */
      detail: string
    }

/** Called with news of builds. It must not throw. */
export type OnBuildEvent = (event: BuildEvent) => void
