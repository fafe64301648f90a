import { CONFIGURATIONS, type Configuration, titleOf } from './configuration.js'
import type { Samples } from './samples.js'
import { GIB, MIB } from './sizes.js'

/** What was promised, and what came out. */
export interface Verdict {
  promise: string
  /** Where it was measured, or where it came out worst. */
  where: string
  value: number
  bound: Bound
}

type Bound = { atMost: number; unit: string } | { atLeast: number; unit: string }

/** Whether a promise is kept. */
export function isKept({ value, bound }: Verdict): boolean {
  return 'atMost' in bound ? value <= bound.atMost : value >= bound.atLeast
}

const SMALL = 256 * MIB
const LARGE = 4 * GIB
const FULL = 0.75

/** What of the promises can be judged by what was measured. */
export function judge(samples: Samples): Verdict[] {
  const ratio = (over: string, under: string): number | undefined => {
    const [a, b] = [samples.median(over), samples.median(under)]
    return a === undefined || b === undefined ? undefined : a / b
  }
  const restores = (over: string, under: string) =>
    CONFIGURATIONS.map((configuration) => {
      const title = titleOf(configuration)
      return {
        configuration,
        where: title,
        value: ratio(`restore/${title}/${over}`, `restore/${title}/${under}`),
      }
    })
  const only = ({ memory, share }: Configuration) => memory === LARGE && share === FULL
  const bySize = CONFIGURATIONS.filter(({ memory }) => memory === SMALL).map((small) => {
    const [over, under] = [{ ...small, memory: LARGE }, small].map(titleOf)
    const value = ratio(`restore/${over}/fork/cont`, `restore/${under}/fork/cont`)
    return { where: `${over} against ${under}`, value }
  })
  const standby = CONFIGURATIONS.map((configuration) => {
    const where = titleOf(configuration)
    return { where, value: samples.median(`restore/${where}/standby/cont`) }
  })
  const at = (name: string, over: string, under: string) => [
    { where: name, value: ratio(over, under) },
  ]
  const times = '×'
  return [
    worst(
      'cold fork restore until `cont` against the floor',
      { atMost: 1.5, unit: times },
      restores('fork/cont', 'fork by hand/loaded'),
    ),
    worst(
      '`virsh snapshot-revert` of a running guest against it',
      { atLeast: 15, unit: times },
      restores('virsh/cont', 'fork/cont'),
    ),
    worst(
      'a relaunch with `-loadvm` against it',
      { atLeast: 1, unit: times },
      restores('-loadvm/cont', 'fork/cont'),
    ),
    worst(
      '`loadvm` in place against it',
      { atLeast: 10, unit: times },
      restores('loadvm/cont', 'fork/cont').filter(({ configuration }) => only(configuration)),
    ),
    worst('the same with 4 GiB of RAM against 256 MiB', { atMost: 1.15, unit: times }, bySize),
    worst('from standby until `cont`', { atMost: 3, unit: ' ms' }, standby),
    worst(
      'from standby until `cont` against cold',
      { atMost: 0.1, unit: times },
      restores('standby/cont', 'fork/cont'),
    ),
    ...['cold', 'standby'].map((way) =>
      worst(
        `${way}: from the fixture's request to the first line, against a restore and an agent's answer by hand`,
        { atMost: 2, unit: times },
        at('1 GiB, 25 %', `fixture/${way}/right`, `fixture/${way} by hand/agent`),
      ),
    ),
    ...['512 MiB', 'Debian 12'].flatMap((where) => [
      worst(
        '200 tests with a boot each against a live state',
        { atLeast: 15, unit: times },
        at(where, `suite/${where}/boot/whole`, `suite/${where}/fork/whole`),
      ),
      worst(
        'the same with `loadvm`',
        { atLeast: 1, unit: times },
        at(where, `suite/${where}/live/whole`, `suite/${where}/fork/whole`),
      ),
    ]),
    worst(
      'the same with `loadvm`',
      { atLeast: 3, unit: times },
      at('4 GiB, 75 %', 'suite/4 GiB, 75 %/live/whole', 'suite/4 GiB, 75 %/fork/whole'),
    ),
    worst(
      'save: the guest stands still, against `savevm`',
      { atMost: 0.2, unit: times },
      at('1 GiB, 75 %', 'save/1 GiB, 75 %/fork/still', 'save/1 GiB, 75 %/savevm/still'),
    ),
    worst(
      'save: the whole `set`, against `savevm`',
      { atMost: 2, unit: times },
      at('1 GiB, 75 %', 'save/1 GiB, 75 %/fork/whole', 'save/1 GiB, 75 %/savevm/whole'),
    ),
    worst(
      'eight clones: their Pss against one booted guest',
      { atMost: 2.5, unit: times },
      at('1 GiB', 'clones/8/pss', 'clones/booted/pss'),
    ),
    worst(
      'what 500 restores leave: processes, sockets, files, descriptors',
      { atMost: 0, unit: '' },
      [{ where: '256 MiB', value: samples.median('leaks/left') }],
    ),
    worst(
      'memory of the process after 500 restores, against after 100',
      { atMost: 1.1, unit: times },
      at('256 MiB', 'leaks/memory after', 'leaks/memory before'),
    ),
    worst(
      'memory of a QEMU after its last test, against after a fifth of them',
      { atMost: 1.1, unit: times },
      at('256 MiB', 'leaks/QEMU after', 'leaks/QEMU before'),
    ),
    worst(
      'descriptors of it',
      { atMost: 1, unit: times },
      at('256 MiB', 'leaks/QEMU descriptors after', 'leaks/QEMU descriptors before'),
    ),
    worst("clocks off the host's, of 50 clones", { atMost: 100, unit: ' ms' }, [
      { where: '256 MiB', value: samples.median('right/clock') },
    ]),
    worst('different random numbers in 50 clones', { atLeast: 50, unit: '' }, [
      { where: '256 MiB', value: samples.median('right/random') },
    ]),
  ].filter((verdict) => verdict !== undefined)
}

/** The one of several places that is furthest from what was promised; nothing if none was measured. */
function worst(
  promise: string,
  bound: Bound,
  places: readonly { where: string; value: number | undefined }[],
): Verdict | undefined {
  const sign = 'atMost' in bound ? -1 : 1
  const [first] = places
    .flatMap(({ where, value }) => (value === undefined ? [] : [{ where, value }]))
    .toSorted((a, b) => sign * (a.value - b.value))
  return first && { promise, bound, ...first }
}
