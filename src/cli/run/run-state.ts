import type { Vm } from '../../guest/vm.js'
import { VmStatesError } from '../../params/errors.js'
import { vncPort } from '../../qemu/machine/display.js'
import { DETAILS, type Member } from '../../states/definitions/types.js'
import type { MachinesInHand } from '../../states/machines/machines-in-hand.js'
import type { StartedMachine } from '../../states/machines/start-machines.js'
import { exitCodeOf, failureData } from '../output/failure.js'
import type { Context, Report } from '../report.js'
import { agentShell } from './agent-shell.js'
import { attachConsole } from './attach-console.js'
import { describeRun, type Reachable, type RunView, viewRun } from './describe-run.js'
import type { End } from './end.js'
import { execCommand } from './exec-command.js'
import { type KeptChanges, keepChanges, prepareToKeep } from './keep-changes.js'
import type { Runnable } from './open-runnable.js'
import type { RunOptions } from './run-options.js'
import { completeLogin, sshCommand, sshSession } from './ssh-session.js'

/**
 * Starts the machines of a state, shows what was asked for, and throws all changes away at the end,
 * unless they are to be kept.
 *
 * @throws VmStatesError whatever starting the machines throws; `USAGE` for a member that there is not;
 *   `PORT_FORWARD_FAILED`, `NO_DISPLAY`; `STATE_EXISTS`, `OUTPUT_EXISTS`; `GUEST_NOT_SHUT_DOWN`
 */
export async function runState(
  runnable: Runnable,
  options: RunOptions,
  command: Context,
): Promise<Report> {
  const { definition, context } = runnable
  const { signal, progress } = command
  const member = chooseMember(runnable, options)
  const attached = isInteractive(options)
  await using _reservation = await prepareToKeep(options.keep, definition, context)
  progress.step(`starting ${runnable.name}`)
  await using machines = await runnable.open({
    signal,
    viewing: { [member]: { vncPort: options.vncPort } },
  })
  const view = await viewRun(
    runnable,
    machines,
    member,
    await makeReachable(machines, member, options, context.store.root),
  )
  progress.stop()
  tell(view, runnable, options, command, attached)
  const { end, report } = await look(machines, member, options, command, attached, view.ssh ?? [])
  if (end === 'off') say(command, `The guest of ${runnable.name} has ended.`)
  const kept = await keepChanges(options.keep, machines, context, command).catch(
    (error: unknown) => {
      // What a signal has ended says no more by itself.
      if (end !== 'interrupted') throw error
      return error instanceof Error ? error : new Error(String(error))
    },
  )
  if (kept instanceof Error) {
    const data = { end, ...failureData(kept) }
    return { data, text: '', errors: [kept], exitCode: exitCodeOf(kept) }
  }
  const text = textOf(kept)
  if (report === undefined) return { data: { end, ...kept }, text }
  if (text !== '') say(command, text)
  return { ...report, data: { ...(report.data as object), ...kept } }
}

interface Looked {
  end: End
  /** Where there is more to tell than what was kept. */
  report?: Report
}

async function look(
  machines: MachinesInHand,
  member: string,
  { mode, command: text = '', json }: RunOptions,
  command: Context,
  attached: boolean,
  ssh: readonly string[],
): Promise<Looked> {
  const { process: viewed } = machines.machines[member] as StartedMachine
  const vm = handleTo(machines, member)
  const ends = untilEnd(machines, member, command.signal)
  if (mode === 'exec') return { end: 'left', report: await execCommand(vm, text, json, command) }
  if (mode === 'shell') return { end: await agentShell(vm, ends, command) }
  if (!attached) return { end: await ends }
  if (mode === 'ssh') return { end: await sshSession(ssh, ends) }
  return { end: await attachConsole(viewed.serial, ends) }
}

/** Ends by a signal, or with the guest that is looked at. */
async function untilEnd(
  { machines }: MachinesInHand,
  member: string,
  signal: AbortSignal,
): Promise<End> {
  const interrupted = new Promise<End>((resolve) => {
    const onAbort = () => resolve('interrupted')
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
  })
  const off = machines[member]?.process.exited.then((): End => 'off')
  // A promise alone does not keep this process alive.
  const awake = setInterval(() => {}, 2 ** 30)
  try {
    return await Promise.race([interrupted, ...(off === undefined ? [] : [off])])
  } finally {
    clearInterval(awake)
  }
}

function handleTo(machines: MachinesInHand, member: string): Vm {
  const held = machines.handle()
  const { kind } = machines.definition[DETAILS]
  return kind === 'state' ? (held as Vm) : ((held as Record<string, Vm>)[member] as Vm)
}

function chooseMember({ definition, name }: Runnable, { member }: RunOptions): string {
  const members = Object.keys(definition[DETAILS].members)
  const chosen = member ?? members[0] ?? ''
  if (members.includes(chosen)) return chosen
  const { kind } = definition[DETAILS]
  const hint = kind === 'state' ? 'It is one machine.' : `It has ${members.join(', ')}.`
  throw new VmStatesError('USAGE', `${name} has no machine ${chosen}`, { hint })
}

function isInteractive({ mode, json }: RunOptions): boolean {
  const { stdin, stdout } = process
  const takesTerminal = mode === 'console' || mode === 'ssh'
  return takesTerminal && !json && stdin.isTTY === true && stdout.isTTY === true
}

/** Makes the forwards and the displays that were asked for. */
async function makeReachable(
  { machines, definition }: MachinesInHand,
  viewed: string,
  { forwards, vncPort: wanted, ssh: said }: RunOptions,
  store: string,
): Promise<Reachable> {
  const made: Reachable['forwards'][number][] = []
  for (const { member = viewed, hostPort, guestPort } of forwards) {
    const process = machines[member]?.process
    if (process === undefined) {
      const hint = `There are: ${Object.keys(machines).join(', ')}.`
      throw new VmStatesError('USAGE', `--forward names the machine ${member}`, { hint })
    }
    made.push({ machine: member, ...(await process.forwardPort(guestPort, hostPort)) })
  }
  const displays: Reachable['displays'][number][] = []
  if (wanted !== undefined) {
    const { process } = machines[viewed] as StartedMachine
    displays.push({ machine: viewed, port: await vncPort(process.qmp, process.options.name) })
  }
  const { process } = machines[viewed] as StartedMachine
  const { options } = (definition[DETAILS].members[viewed] as Member).machine[DETAILS]
  const login = said && completeLogin(said, options, store)
  const ssh = login && { ssh: await sshCommand(process, login) }
  return { forwards: made, displays, ...ssh }
}

function tell(
  view: RunView,
  runnable: Runnable,
  { json, mode }: RunOptions,
  command: Context,
  attached: boolean,
): void {
  if (json) {
    if (mode === 'console' || mode === 'ssh') process.stdout.write(`${JSON.stringify(view)}\n`)
  } else if (mode !== 'exec') {
    say(command, describeRun(view, runnable, mode === 'shell' || attached ? mode : 'wait'))
  }
}

function say({ terminal }: Context, text: string): void {
  terminal.stream.write(`${text}\n`)
}

function textOf({ state, files = [] }: KeptChanges): string {
  if (state !== undefined) return `kept as ${state}; to go on from it: states run ${state}`
  return files.map((file) => `the changes are in ${file}`).join('\n')
}
