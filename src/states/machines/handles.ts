import type { AgentCallOptions } from '../../guest/agent/client.js'
import type { OnCommand } from '../../guest/exec/on-command.js'
import type { Vm } from '../../guest/vm.js'
import { VmControl } from '../../guest/vm-control.js'
import { machineName } from '../definitions/name-of.js'
import { type AnyState, DETAILS } from '../definitions/types.js'
import type { StartedMachines } from './start-machines.js'

/** The handles to the machines of a state, for as long as a setup or a test has them. */
export class Handles<H = unknown> {
  /** What setups and tests get: a handle to the machine, or handles by member. */
  readonly held: H
  readonly #controls: Readonly<Record<string, VmControl>>
  readonly #states: Readonly<Record<string, string>>

  /**
   * @param onCommand - who is told of a machine's commands: for what they are to be marked with, and for
   *   the member that it is
   */
  constructor(state: AnyState<H>, onCommand?: (label: string, member: string) => OnCommand) {
    const { kind, members, sources } = state[DETAILS]
    const entries = Object.entries(members)
    this.#controls = Object.fromEntries(
      entries.map(([member, { machine, liveness }]) => {
        const label = kind === 'state' ? '' : `${member}: `
        const identity = {
          machine: machine.name,
          liveness,
          name: machineName(state, member),
          onCommand: onCommand?.(label, member),
        }
        return [member, new VmControl(identity)]
      }),
    )
    this.#states = Object.fromEntries(
      entries.map(([member]) => [member, (sources?.[member] ?? state).name]),
    )
    this.held = state[DETAILS].hold(this.#vms)
  }

  /** Makes the handles stand for machines that were started in the state. */
  attach({ machines }: StartedMachines): void {
    for (const [member, { process, link }] of Object.entries(machines)) {
      this.#controls[member]?.attach(process, this.#states[member], link)
    }
  }

  /** The handle to one machine. */
  vm(member: string): Vm {
    return (this.#controls[member] as VmControl).vm
  }

  /** Waits until the guest of one machine answers. */
  answers(member: string, patience: AgentCallOptions): Promise<void> {
    return (this.#controls[member] as VmControl).answers(patience)
  }

  /**
   * Ends the handles: every call, now and later, rejects.
   *
   * @param reason - why, as a part of a sentence: `its test has ended`
   * @param hint - what to do about it
   */
  release(reason: string, hint?: string): void {
    for (const control of Object.values(this.#controls)) control.release(reason, hint)
  }

  get #vms(): Record<string, Vm> {
    return Object.fromEntries(
      Object.entries(this.#controls).map(([member, { vm }]) => [member, vm]),
    )
  }
}
