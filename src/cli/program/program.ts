import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import type { Context, Report } from '../report.js'
import { asUsageError } from '../usage-error.js'
import { type AddCommand, examples } from './add-command.js'
import { addDefinedCommands } from './defined-commands.js'
import { addHostCommands } from './host-commands.js'
import { addImageCommands } from './image-commands.js'

/**
 * The command line. Each command's code is loaded when it runs: most of the time of a quick command
 * is the loading of modules.
 *
 * @returns a function that runs the command which its arguments name
 */
export function createProgram(
  context: Context,
): (args: readonly string[]) => Promise<Report | undefined> {
  let report: Report | undefined
  const program = new Command('states')
    .description(
      'Named states of virtual machines: built once, restored for each test, kept as qcow2.',
    )
    .version(version())
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .addHelpText(
      'after',
      `
A target is the path of a qcow2 image, followed by a state's name; or machine/state (debian/nginx),
followed by the word booted if its kept boot is meant, as list shows it. A name that starts with "-"
comes after "--". The name root means the image itself, and boot, with --qmp, that its machine runs. An
image that exists is replaced (set) or removed (unset) as root only with --on-exists force.

Exit codes: 0 done or true, 1 missing or refused by a policy, 2 bad usage or input, 3 a tool failed.
${examples(
  'doctor',
  'build',
  'list',
  'graph --output states.svg',
  'explain debian/nginx',
  'unset debian/nginx --with-children',
  'get debian/nginx --output nginx.qcow2',
  'set disk.qcow2 clean',
  'show disk.qcow2',
)}`,
    )

  const add: AddCommand = (usage, description, configure, run) => {
    const command = configure(program.command(usage).description(description))
    command
      .exitOverride((failure) => {
        throw asUsageError(failure, command.name())
      })
      .option('--json', 'print the result, or the error, as JSON')
      .action(async (...given: unknown[]) => {
        const loaded = (await run()) as (...args: unknown[]) => Promise<Report>
        report = await loaded(...given.slice(0, -1), context)
      })
  }

  program.commandsGroup('States that states.config.ts defines:')
  addDefinedCommands(add)
  program.commandsGroup('States of an image, or machine/state of states.config.ts:')
  addImageCommands(add)
  program.commandsGroup('The store and the host:')
  addHostCommands(add)
  program.helpCommand('help [command]', 'show what a command does, with examples')

  return async (args) => {
    await program.parseAsync(args, { from: 'user' })
    return report
  }
}

function version(): string {
  const file = new URL('../../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
