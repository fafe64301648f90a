import { type AddCommand, collect, examples } from './add-command.js'

/** The commands for states that a configuration defines. */
export function addDefinedCommands(add: AddCommand): void {
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
    async () => (await import('../commands/build.js')).build,
  )
  add(
    'list [machine]',
    'list them, built or not, and what else the store has',
    (command) => command.addHelpText('after', examples('list', 'list debian --json')),
    async () => (await import('../commands/list.js')).list,
  )
  add(
    'run <name> [booted]',
    'resume a state, to look at it or to work in it; changes are thrown away',
    (command) =>
      command
        .option(
          '--shell',
          'a shell in the guest, by what commands go through, instead of the serial console',
        )
        .option('--exec <command>', 'run a shell command in the guest, and end with its exit code')
        .option(
          '--ssh [user]',
          'log in by ssh with your own client, as root or another user; a machine with guest: "ssh" lets in its own user',
        )
        .option('--identity <file>', 'the private key that --ssh uses')
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
            'run debian/nginx --ssh ada --identity ./key',
            "run debian/nginx --exec 'nginx -t'",
            'run lab/joined --machine client --vnc',
            'run debian/nginx --keep overlay=mine.qcow2',
            'run debian/nginx --keep state=half-way && states run kept/half-way',
          ),
        ),
    async () => (await import('../commands/run.js')).run,
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
    async () => (await import('../commands/graph.js')).graph,
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
    async () => (await import('../commands/explain.js')).explain,
  )
}
