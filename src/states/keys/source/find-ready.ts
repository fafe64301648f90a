import type { CallExpression, Node } from 'oxc-parser'
import type { Module } from './module.js'
import { literalText, propertyName, unwrap } from './syntax.js'

/**
 * The pieces of a module that may say when a machine is ready: the option, where the options are
 * written out in the call that defines it, else all of them; of every machine whose name is not
 * literal, where none has the name.
 */
export function findReady({ analysis }: Module, machine: string): Node[] {
  const called = (name: string | undefined) =>
    analysis.machines.filter((call) => literalText(call.arguments[0]) === name)
  const named = called(machine)
  const calls = named.length > 0 ? named : called(undefined)
  return calls.flatMap((call) => readyOf(call) ?? [])
}

function readyOf({ arguments: [, options] }: CallExpression): Node | undefined {
  const written = options && unwrap(options)
  if (written?.type !== 'ObjectExpression') return written
  const isOpen = written.properties.some(
    (item) => item.type !== 'Property' || propertyName(item) === undefined,
  )
  const ready = written.properties.findLast(
    (item) => item.type === 'Property' && propertyName(item) === 'ready',
  )
  return isOpen ? written : ready
}
