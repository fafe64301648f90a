import { fillScript, noiseIn } from './guest.js'
import { GIB, MIB } from './sizes.js'

/** A guest's RAM, and how much of it is noise. */
export interface Configuration {
  memory: number
  share: number
}

const SIZES = [256 * MIB, GIB, 4 * GIB]
const SHARES = [0.25, 0.75]

/** What restores are measured at. */
export const CONFIGURATIONS: readonly Configuration[] = SIZES.flatMap((memory) =>
  SHARES.map((share) => ({ memory, share })),
)

/** Arguments of a user's, which change nothing. */
const ALONE = `['-fw_cfg', 'name=opt/bench,string=1']`

/** The name of Debian 12 in the module of states: a guest of the size that people have. */
export const DEBIAN = 'debian'

const DEBIAN_MEMORY = 512 * MIB

/** Such as `1 GiB, 75 %`. */
export function titleOf({ memory, share }: Configuration): string {
  const size = memory < GIB ? `${memory / MIB} MiB` : `${memory / GIB} GiB`
  return `${size}, ${share * 100} %`
}

/** The name of its machine: `m1024x75`. */
export function nameOf({ memory, share }: Configuration): string {
  return `m${memory / MIB}x${share * 100}`
}

/**
 * The text of a module that exports each configuration's machine, by its name, and its states: `NAME_fork`
 * and `NAME_live`, by backend, `NAME_alone`, whose machines never stand by, and `NAME_cold`, a machine that boots for
 * each test. The same of Debian, empty, as
 * {@link DEBIAN}.
 *
 * @param disk - the Debian guest's
 */
export function statesModule(
  configurations: readonly Configuration[],
  { entry, disk }: { entry: string; disk: string },
): string {
  const lines = configurations.flatMap((configuration) => {
    const { memory, share } = configuration
    const name = nameOf(configuration)
    const script = JSON.stringify(fillScript(noiseIn(memory, share)))
    const options = (more: string) => `{ image: image.tiny(), memory: ${memory}${more} }`
    const setup = `async (vm) => { await vm.exec('/bin/sh', ['-ec', ${script}], { timeout: 600_000 }) }`
    return [
      `export const ${name} = machine('${name}', ${options('')})`,
      `export const ${name}_cold = machine('${name}_cold', ${options(", boot: 'cold'")})`,
      ...['fork', 'live'].map(
        (backend) =>
          `export const ${name}_${backend} = ${name}.live('${backend}', ${setup}, { backend: '${backend}' })`,
      ),
      `export const ${name}_alone = machine('${name}_alone', ${options(`, extraArgs: ${ALONE}`)}).live('fork', ${setup})`,
    ]
  })
  const debian = `{ image: image.file(${JSON.stringify(disk)}), memory: ${DEBIAN_MEMORY}, readyTimeout: 600_000 }`
  const others = [
    `const debian = ${debian}`,
    `export const ${DEBIAN}_cold = machine('${DEBIAN}_cold', { ...debian, boot: 'cold' })`,
    ...['fork', 'live'].map(
      (backend) =>
        `export const ${DEBIAN}_${backend} = machine('${DEBIAN}_${backend}', debian).live('up', () => {}, { backend: '${backend}' })`,
    ),
  ]
  return [`import { image, machine } from '${entry}'`, ...lines, ...others, ''].join('\n')
}
