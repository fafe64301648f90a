import { stripVTControlCharacters } from 'node:util'
import { renderScreen } from '../../guest/console/screen.js'
import { DETAILS } from '../../states/definitions/types.js'
import { consoleTail } from '../../states/kept/kept-console.js'
import type { MachinesInHand } from '../../states/machines/machines-in-hand.js'
import { printable } from '../output/printable.js'
import type { Runnable } from './open-runnable.js'

/** What runs, for tools. */
export interface RunView {
  state: string
  machines: readonly {
    /** A member of an environment, or the machine. */
    name: string
    pid: number
    /** Absolute path of the log of its serial console. */
    console: string
  }[]
  /** From ports of 127.0.0.1 to those of machines. */
  forwards: readonly { machine: string; hostPort: number; guestPort: number }[]
  /** Ports of 127.0.0.1 where VNC shows displays. */
  displays: readonly { machine: string; port: number }[]
  /** The command that logs in to the machine that is looked at. */
  ssh?: readonly string[]
  /** The machine that is looked at. */
  viewed: string
  /** The end of its serial console when it was kept. */
  transcript?: string
}

/** Ports of the host that lead to machines, by member. */
export type Reachable = Pick<RunView, 'forwards' | 'displays' | 'ssh'>

/** What runs, as tools and people are told. */
export async function viewRun(
  { name, kept }: Runnable,
  { machines, definition }: MachinesInHand,
  viewed: string,
  reachable: Reachable,
): Promise<RunView> {
  const { kind, owner } = definition[DETAILS]
  const nameOf = (member: string) => (kind === 'state' ? owner.name : member)
  const transcript = kept === undefined ? undefined : await consoleTail(kept, viewed)
  return {
    state: name,
    machines: Object.entries(machines).map(([member, { process }]) => ({
      name: nameOf(member),
      pid: process.pid,
      console: process.consoleFile,
    })),
    forwards: reachable.forwards.map((each) => ({ ...each, machine: nameOf(each.machine) })),
    displays: reachable.displays.map((each) => ({ ...each, machine: nameOf(each.machine) })),
    ...(reachable.ssh && { ssh: reachable.ssh }),
    viewed: nameOf(viewed),
    ...(transcript && { transcript }),
  }
}

const HOW_TO_END = {
  console: 'The serial console, where Enter brings a prompt; Ctrl-] ends it.',
  shell: 'A shell by the guest agent; exit or Ctrl-D ends it.',
  ssh: 'A session by ssh; exit or Ctrl-D ends it.',
  wait: 'Ctrl-C ends it.',
} as const

/** What runs, for people. */
export function describeRun(
  view: RunView,
  { kept }: Runnable,
  way: keyof typeof HOW_TO_END,
): string {
  const { state, machines, forwards, displays, viewed, transcript, ssh } = view
  const several = machines.length > 1
  const pids = machines.map(({ name, pid }) => (several ? `${name} ${pid}` : String(pid)))
  const test = kept?.moment.test
  const lines = [
    ...(test === undefined
      ? []
      : [`${test.file} > ${test.fullName} (attempt ${test.attempt}) failed: ${test.error}`]),
    `${state} runs (QEMU ${pids.join(', ')}); changes are thrown away at the end unless --keep was given.`,
    ...forwards.map(
      ({ machine, hostPort, guestPort }) =>
        `  127.0.0.1:${hostPort} leads to port ${guestPort}${several ? ` of ${machine}` : ''}`,
    ),
    ...displays.map(({ port }) => `  VNC: 127.0.0.1:${port}`),
    ...(way === 'wait' && ssh ? [`  ${ssh.join(' ')}`] : []),
    ...(way === 'wait' ? machines.map(({ console }) => `  console: ${console}`) : []),
    ...(several && way !== 'wait' ? [`This is ${viewed}; --machine chooses another.`] : []),
    HOW_TO_END[way],
    ...(way === 'console' && transcript ? ['', lastScreen(transcript)] : []),
  ]
  return lines.map(printable).join('\n')
}

/** What a terminal showed last: sequences for the terminal are not repeated. */
function lastScreen(transcript: string): string {
  return stripVTControlCharacters(renderScreen(transcript))
}
