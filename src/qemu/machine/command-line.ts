import { join } from 'node:path'
import { NETWORK_BOOT_NAME } from '../../params/drives.js'
import { blockNode } from './block-node.js'
import { bootIndex, driveArguments } from './drive-arguments.js'
import { hotPlugPort } from './hot-plug-names.js'
import type { DirectKernel, LaunchOptions } from './launch-options.js'
import { optionValue } from './option-value.js'
import { FIRST_VNC_PORT } from './vnc-port.js'

/**
 * The file descriptors that QEMU inherits beside its standard ones: one end of a socket pair each, and device
 * state to read.
 */
const QMP_FD = 3
const AGENT_FD = 4
const WAKE_FD = 5
export const INCOMING_FD = 6

/** QEMU's end of the control channel of a TPM. */
const TPM_FD = 7

/** The first of those that a user has QEMU inherit. */
export const FIRST_EXTRA_FD = 10

/** How many displays are tried for a free port. */
const VNC_PORTS = 99

/** The network card's name in the human monitor, for port forwards. */
export const NETWORK_ID = 'net0'

/** The same in every machine: each has a user-mode network to itself. */
const MAC = '52:54:00:12:34:56'

/** The name by which the guest agent finds its virtio-serial port. */
const AGENT_PORT = 'org.qemu.guest_agent.0'

/** The name by which a guest finds the port on which it is told the time after a restore. */
const WAKE_PORT = 'org.vitest-vm-states.wake'

/** The block node of the firmware's code. */
const FIRMWARE_NODE = 'firmware'

/** The guest's RAM among QEMU's objects. */
const RAM_ID = 'ram'

/** Where QEMU writes the serial console to, from power-on. */
export function consoleFile(options: Pick<LaunchOptions, 'directory'>): string {
  return join(options.directory, 'console.log')
}

function machineArguments(options: LaunchOptions): string[] {
  return [
    ...['-name', optionValue(options.name)],
    ...['-nodefaults', '-no-user-config'],
    ...['-display', 'none'],
    ...vncArguments(options),
    // graphics=off sends the firmware's messages to the serial console as well.
    ...['-machine', machineValue(options)],
    ...['-accel', options.accelerator],
    ...['-cpu', options.cpuModel],
    ...['-smp', String(options.cpus)],
    ...['-m', `size=${options.memory}B`],
    ...ramArguments(options),
    // Always: the machine is let go only once everyone who must know of it does.
    '-S',
    ...(options.incoming !== undefined ? ['-incoming', 'defer'] : []),
  ]
}

function machineValue({ machineType, firmware, disks }: LaunchOptions): string {
  const variables = disks.find(({ role }) => role === 'variables')
  return [
    `${optionValue(machineType)},graphics=off`,
    `memory-backend=${RAM_ID}`,
    ...(firmware === undefined ? [] : [`pflash0=${FIRMWARE_NODE}`]),
    ...(variables === undefined ? [] : [`pflash1=${blockNode(variables)}`]),
  ].join()
}

function firmwareArguments({ firmware }: LaunchOptions): string[] {
  if (firmware === undefined) return []
  const file = `file.driver=file,file.filename=${optionValue(firmware)}`
  return ['-blockdev', `driver=raw,node-name=${FIRMWARE_NODE},read-only=on,${file}`]
}

/** Of the same name whatever it is made of: a live state loads only into RAM that is called so. */
function ramArguments({ ram, memory }: LaunchOptions): string[] {
  const share = ram?.shared ? 'on' : 'off'
  const backend =
    ram === undefined
      ? 'memory-backend-ram'
      : `memory-backend-file,mem-path=${optionValue(ram.path)},share=${share}`
  return ['-object', `${backend},id=${RAM_ID},size=${memory}B`]
}

function vncArguments({ vncPort }: LaunchOptions): string[] {
  if (vncPort === undefined) return []
  const isFree = vncPort === 0
  const display = isFree ? 0 : vncPort - FIRST_VNC_PORT
  return ['-vnc', `127.0.0.1:${display}${isFree ? `,to=${VNC_PORTS}` : ''}`]
}

function channelArguments(options: LaunchOptions): string[] {
  return [
    ...['-chardev', `socket,id=qmp,fd=${QMP_FD}`, '-mon', 'chardev=qmp,mode=control'],
    // Its standard input and output: a guest would wait for who reads a socket, and not for a file.
    ...['-chardev', 'stdio,id=console'],
    ...serialPortArguments(options),
    ...['-device', 'virtio-serial-pci,id=serial'],
    ...(options.console === 'hvc0' ? ['-device', 'virtconsole,bus=serial.0,chardev=console'] : []),
    ...['-chardev', `socket,id=agent,fd=${AGENT_FD}`],
    ...['-device', `virtserialport,bus=serial.0,chardev=agent,name=${AGENT_PORT}`],
    ...['-chardev', `socket,id=wake,fd=${WAKE_FD}`],
    ...['-device', `virtserialport,bus=serial.0,chardev=wake,name=${WAKE_PORT}`],
    ...['-object', 'rng-builtin,id=random', '-device', 'virtio-rng-pci,rng=random'],
    ...platformArguments(options),
  ]
}

/** Ports before that of the console lead nowhere. */
function serialPortArguments({ console = 'ttyS0' }: LaunchOptions): string[] {
  if (console === 'hvc0') return ['-serial', 'null']
  const before = Number(console.slice('ttyS'.length))
  return [...Array<string>(before).fill('null'), 'chardev:console'].flatMap((to) => ['-serial', to])
}

/** What machines of an architecture have, and those of others not. */
function platformArguments({ arch = 'x86_64' }: LaunchOptions): string[] {
  if (arch === 'aarch64') return ['-device', 'pvpanic-pci']
  // Another id at every start: a guest that goes on from a state learns that it is a clone.
  return ['-device', 'pvpanic', '-device', 'vmgenid,guid=auto']
}

function networkArguments({ network, bootOrder = [] }: LaunchOptions): string[] {
  if (network === 'none') return []
  const place = bootOrder.indexOf(NETWORK_BOOT_NAME) + 1
  // The option ROM is for booting from the network.
  const boots = place === 0 ? ',romfile=' : bootIndex(place)
  const restrict = network === 'isolated' ? 'on' : 'off'
  return [
    ...['-netdev', `user,id=${NETWORK_ID},restrict=${restrict}`],
    // A guest that goes on has not moved in its network: to announce itself there would take a quarter of
    // its waking.
    ...['-device', `virtio-net-pci,netdev=${NETWORK_ID},mac=${MAC}${boots},guest_announce=off`],
  ]
}

function tpmArguments({ disks, arch }: LaunchOptions): string[] {
  if (!disks.some(({ role }) => role === 'tpm')) return []
  const device = arch === 'aarch64' ? 'tpm-tis-device' : 'tpm-crb'
  return [
    ...['-chardev', `socket,id=tpm,fd=${TPM_FD}`],
    ...['-tpmdev', 'emulator,id=tpm0,chardev=tpm'],
    ...['-device', `${device},tpmdev=tpm0`],
  ]
}

/** Behind all other devices of the machine, so that these stay where they are. */
function portArguments({ hotplugPorts = 0 }: LaunchOptions): string[] {
  return Array.from({ length: hotplugPorts }, (_, index) => [
    ...[
      '-device',
      `pcie-root-port,id=${hotPlugPort(index)},chassis=${index + 1},slot=${index + 1}`,
    ],
  ]).flat()
}

/** Plain paths, unlike those in lists of options: QEMU takes a comma in them for a comma. */
function kernelArguments({ kernel, initrd, append }: DirectKernel): string[] {
  return [
    ...['-kernel', kernel],
    ...(initrd === undefined ? [] : ['-initrd', initrd]),
    ...(append === undefined ? [] : ['-append', append]),
  ]
}

/**
 * The arguments of QEMU for one start of a machine. The order of devices is part of it: it decides
 * their PCI addresses, and a live state loads only into the same ones.
 */
export function commandLine(options: LaunchOptions): string[] {
  return [
    ...machineArguments(options),
    ...channelArguments(options),
    ...networkArguments(options),
    ...firmwareArguments(options),
    ...driveArguments(options),
    ...tpmArguments(options),
    ...portArguments(options),
    ...(options.directKernel === undefined ? [] : kernelArguments(options.directKernel)),
    ...options.extraArgs,
  ]
}
