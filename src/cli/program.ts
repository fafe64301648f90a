import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import type { Context, Report } from './report.js'
import { asUsageError } from './usage-error.js'

const BACKENDS = 'internal, external or live'

/** Examples under a command's options. */
function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ states ${line}`).join('\n')}`
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}

/** The options that say how the states of an image are kept. */
function withImageOptions(command: Command): Command {
  return command
    .option('--backend <name>', `how the state is kept: ${BACKENDS}`)
    .option('--disk <image>', 'a further disk of the same machine (repeatable)', collect)
    .option('--qmp <socket>', 'the QMP socket of the QEMU that runs on the image (backend live)')
}

function withPolicies(command: Command, exists: string, missing: string): Command {
  return command
    .option('--on-exists <policy>', `if the state is there: ${exists}`)
    .option('--on-missing <policy>', `if it is missing: ${missing}`)
}

const WITH_CHILDREN = ['--with-children', 'also remove the states that stand on it'] as const
const OUTPUT = [
  '--output <overlay>',
  'for machine/state: where to leave an overlay to use',
] as const

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

  /** Adds a command that loads `run` and calls it with the parsed arguments and options. */
  function add(
    usage: string,
    description: string,
    configure: (command: Command) => Command,
    run: () => Promise<(...args: never[]) => Promise<Report>>,
  ): void {
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
  add(
    'build [names...]',
    'build those named, or all, ahead of a run of the tests',
    (command) =>
      command
        .option('--force', 'build what is named anew, though it is there')
        .option('--jobs <number>', 'builds that may run at the same time (2)')
        .option('--no-boots', 'without the kept boots that tests on disk states start from')
        .addHelpText(
          'after',
          examples('build', 'build debian fedora/desktop --jobs 4', 'build debian/nginx --force'),
        ),
    async () => (await import('./commands/build.js')).build,
  )
  add(
    'list [machine]',
    'list them, built or not, and what else the store has',
    (command) => command.addHelpText('after', examples('list', 'list debian --json')),
    async () => (await import('./commands/list.js')).list,
  )
  add(
    'run <name> [booted]',
    'resume a state, to look at it or to work in it; changes are thrown away',
    (command) =>
      command
        .option('--shell', 'a shell by the guest agent instead of the serial console')
        .option('--exec <command>', 'run a shell command in the guest, and end with its exit code')
        .option(
          '--forward <host:guest>',
          'lead a port of the host to the guest (repeatable)',
          collect,
        )
        .option('--vnc [port]', 'show the display by VNC, on this port or a free one')
        .option('--machine <member>', 'which machine of an environment; by default the first')
        .option(
          '--keep <what>',
          'at the end, keep the disks (overlay=FILE) or the running machine (state=NAME)',
          collect,
        )
        .addHelpText(
          'after',
          examples(
            'run debian/nginx',
            'run failed/serves-the-page-1 --shell',
            'run debian/nginx --forward 8080:80 --forward 22',
            "run debian/nginx --exec 'nginx -t'",
            'run lab/joined --machine client --vnc',
            'run debian/nginx --keep overlay=mine.qcow2',
            'run debian/nginx --keep state=half-way && states run kept/half-way',
          ),
        ),
    async () => (await import('./commands/run.js')).run,
  )
  add(
    'graph',
    'show what they stand on, what is built, and which tests use it',
    (command) =>
      command
        .option('--format <name>', 'text (default), mermaid, dot or svg')
        .option('--output <file>', 'write it to a file; .svg, .dot and .mmd tell the format')
        .addHelpText(
          'after',
          examples('graph', 'graph --output states.svg', 'graph --format dot | dot -Tpng -o s.png'),
        ),
    async () => (await import('./commands/graph.js')).graph,
  )
  add(
    'explain <name> [booted]',
    'tell why a state is to be built anew: what has changed since its last build',
    (command) =>
      command
        .option('--against <key>', 'the build to compare with: its key, or the beginning of it')
        .addHelpText(
          'after',
          examples('explain debian/nginx', 'explain debian/nginx --against 3f2a9c'),
        ),
    async () => (await import('./commands/explain.js')).explain,
  )

  program.commandsGroup('States of an image, or machine/state of states.config.ts:')
  add(
    'show <target> [state]',
    'show the states of an image, or one of them',
    (command) =>
      withImageOptions(command).addHelpText(
        'after',
        examples('show disk.qcow2', 'show disk.qcow2 clean --json', 'show debian/nginx'),
      ),
    async () => (await import('./commands/show.js')).show,
  )
  add(
    'check <target> [state]',
    'tell whether a state is there; changes nothing (exit code 0 or 1)',
    (command) =>
      withImageOptions(command).addHelpText(
        'after',
        examples(
          'check disk.qcow2 clean',
          'check disk.qcow2 root',
          'check debian/nginx && echo built',
        ),
      ),
    async () => (await import('./commands/check.js')).check,
  )
  add(
    'get <target> [state]',
    'restore a state; what was current is lost',
    (command) =>
      withPolicies(
        withImageOptions(command),
        'reuse (default), abort, ignore',
        'abort (default), ignore',
      )
        .option(...OUTPUT)
        .addHelpText(
          'after',
          examples(
            'get disk.qcow2 clean',
            'get system.qcow2 clean --disk data.qcow2',
            'get debian/nginx --output nginx.qcow2',
          ),
        ),
    async () => (await import('./commands/get.js')).get,
  )
  add(
    'set <target> [state]',
    'keep the current content as a state, and go on from it',
    (command) =>
      withPolicies(
        withImageOptions(command),
        'force (default), reuse, abort',
        'force (default), abort',
      )
        .option('--size <size>', 'for the name root: make a new, blank image of this size')
        .addHelpText(
          'after',
          examples(
            'set disk.qcow2 clean',
            "set disk.qcow2 root --size '8 GiB'",
            'set disk.qcow2 clean --backend internal --on-exists abort',
            'set disk.qcow2 busy --qmp /run/vm/qmp.sock',
          ),
        ),
    async () => (await import('./commands/set.js')).set,
  )
  add(
    'unset <target> [state]',
    'remove a state; the current content stays as it is',
    (command) =>
      withPolicies(withImageOptions(command), 'force (default), reuse', 'ignore (default), abort')
        .option(...WITH_CHILDREN)
        .addHelpText(
          'after',
          examples(
            'unset disk.qcow2 clean',
            'unset debian/nginx --with-children',
            'unset debian/nginx booted',
          ),
        ),
    async () => (await import('./commands/unset.js')).unset,
  )
  add(
    'push <target> [state]',
    'keep the current content as a new state',
    (command) =>
      withPolicies(
        withImageOptions(command),
        'abort (default), reuse, force',
        'force (default), abort',
      ).addHelpText('after', examples('push disk.qcow2 before-upgrade')),
    async () => (await import('./commands/push.js')).push,
  )
  add(
    'pop <target> [state]',
    'restore a state and remove it',
    (command) =>
      withPolicies(
        withImageOptions(command),
        'reuse (default), abort, ignore',
        'abort (default), ignore',
      )
        .option(...WITH_CHILDREN)
        .addHelpText('after', examples('pop disk.qcow2 before-upgrade')),
    async () => (await import('./commands/pop.js')).pop,
  )

  program.commandsGroup('The store and the host:')
  add(
    'gc',
    'remove from the store what is of no use, or was not used for long',
    (command) =>
      command
        .option('--max-size <size>', 'what the store may have, by default of the configuration')
        .option('--max-age <duration>', 'how long a state is kept that nobody uses')
        .option('--dry-run', 'only tell what would be removed')
        .addHelpText('after', examples('gc --dry-run', "gc --max-size '8 GiB' --max-age '7 days'")),
    async () => (await import('./commands/gc.js')).gc,
  )
  add(
    'verify [names...]',
    'read what is in the store, and tell what is damaged (exit code 0 or 3)',
    (command) => command.addHelpText('after', examples('verify', 'verify debian/nginx')),
    async () => (await import('./commands/verify.js')).verify,
  )
  add(
    'doctor',
    'tell what of QEMU and this host is there, and how to mend what is not',
    (command) =>
      command
        .option('--self-test', 'boot, save and restore a tiny guest')
        .addHelpText('after', examples('doctor', 'doctor --self-test')),
    async () => (await import('./commands/doctor.js')).doctor,
  )
  add(
    'convert <source> <target>',
    'copy a raw image, or any that qemu-img reads, into a new qcow2 image',
    (command) =>
      command
        .option('--format <name>', 'the format of the source, where its name does not tell')
        .option('--force', 'replace the target if it is there')
        .addHelpText(
          'after',
          examples('convert disk.vmdk disk.qcow2', 'convert sda disk.qcow2 --format raw'),
        ),
    async () => (await import('./commands/convert.js')).convert,
  )
  program.helpCommand('help [command]', 'show what a command does, with examples')

  return async (args) => {
    await program.parseAsync(args, { from: 'user' })
    return report
  }
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
