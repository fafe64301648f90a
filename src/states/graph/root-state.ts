import { resolveSeed } from '../../images/cloud-init/seed.js'
import { resolveFirmware } from '../../images/firmware/resolve-firmware.js'
import {
  type ImageProgress,
  type ResolvedImage,
  type ResolveOptions,
  resolveImage,
} from '../../images/resolve-image.js'
import { type DriveOptions, IMAGE_DISK_NAME, VARIABLES_DISK_NAME } from '../../params/drives.js'
import type { FirstBoot } from '../../params/first-boot.js'
import type { Image } from '../../params/image.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { machineOf } from '../definitions/machine-of.js'
import { nameOf } from '../definitions/name-of.js'
import {
  type AnyState,
  DETAILS,
  type MachineDefinition,
  ONLY_MEMBER,
} from '../definitions/types.js'
import { withSshKey } from '../keys/with-ssh-key.js'
import type { AvailableState } from './available-state.js'
import type { Context } from './context.js'

const VARIABLES = { name: VARIABLES_DISK_NAME, role: 'variables' } as const

/**
 * The root of a machine: its image as it is, its further disks and CD-ROMs, what cloud-init reads, and the
 * variables of UEFI firmware as they come with it.
 *
 * @throws VmStatesError if the image is missing, cannot be downloaded or built, or is no image;
 *   `FIRMWARE_MISSING`
 */
export async function rootState(
  root: AnyState,
  context: Context,
  signal: AbortSignal | undefined,
): Promise<AvailableState> {
  const machine = machineOf(root)
  const { image, disks, cdroms, firmware } = machine[DETAILS].options
  const { cloudInit, firstBoot } = await withSshKey(
    machine[DETAILS].options,
    async () => (await context.sshKey()).publicKey,
  )
  const name = nameOf(root)
  const options = {
    signal,
    onProgress: ({ activity }: ImageProgress) =>
      context.report({ kind: 'step', state: name, step: 'image', detail: activity }),
  }
  const resolve = async (name: string, image: Image, kind?: Pick<Disk, 'readOnly' | 'role'>) => {
    const asItIs = await resolveImage(image, context.store, options)
    const resolved =
      name === IMAGE_DISK_NAME
        ? await withFirstBoot(asItIs, firstBoot, machine, context, options)
        : asItIs
    return { ...resolved, image, disk: { ...resolved.disk, name, ...kind } }
  }
  const sources = await Promise.all([
    resolve(IMAGE_DISK_NAME, image),
    ...disks.map((disk) =>
      resolve(disk.name, contentOf(disk), disk.readOnly ? { readOnly: true } : {}),
    ),
    ...cdroms.map((cdrom) => resolve(cdrom.name, cdrom.image, { readOnly: true, role: 'cdrom' })),
  ])
  // Always there: a live state loads only into the devices that it had.
  const seed = cloudInit && (await resolveSeed(cloudInit, context.store, signal))
  const uefi =
    firmware === 'uefi'
      ? await resolveFirmware(machine[DETAILS].options, context.store, signal)
      : undefined
  const objects = [...sources, ...(seed ? [seed] : []), ...(uefi ? [uefi] : [])].flatMap(
    ({ objectId }) => objectId ?? [],
  )
  const leases = await Promise.all(objects.map((id) => context.store.lease(id)))
  return {
    name,
    members: {
      [ONLY_MEMBER]: {
        files: {
          liveness: 'disk',
          backend: 'image',
          disks: [
            ...sources.map(({ disk }) => disk),
            ...(seed ? [seed.disk] : []),
            ...(uefi ? [{ ...uefi.variables, ...VARIABLES }] : []),
          ],
        },
        directKernel: sources[0].directKernel,
        firmware: uefi?.code,
      },
    },
    bases: sources.flatMap(({ image, identity }) =>
      image.kind === 'file' ? [{ image, identity }] : [],
    ),
    objects,
    worth: 0,
    release: async () => {
      await Promise.all(leases.map((lease) => lease.release()))
    },
  }
}

/** The image, with the changes that it gets before its first boot. */
async function withFirstBoot(
  image: ResolvedImage,
  firstBoot: FirstBoot | undefined,
  machine: MachineDefinition,
  context: Context,
  { signal, onProgress }: ResolveOptions,
): Promise<ResolvedImage> {
  const { arch, cpuModel, machineType } = machine[DETAILS].options
  if (firstBoot === undefined) return image
  const { editImage } = await import('../../images/first-boot/edit-image.js')
  onProgress?.({ activity: 'changing the image before its first boot' })
  const { binary, accelerator } = await context.emulatorOf(machine)
  const run = await context.run()
  const onSpawn = (pid: number) => run.addProcess(pid)
  const opener = {
    ...{ store: context.store, binary, arch, accelerator, cpuModel, machineType },
    ...{ signal, onSpawn },
  }
  return await editImage(image, firstBoot, opener)
}

function contentOf({ size, image }: DriveOptions['disks'][number]): Image {
  if (image !== undefined) return image
  if (size === undefined) throw new TypeError('a disk has a size or an image')
  return { kind: 'blank', size }
}
