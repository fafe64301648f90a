import type { Command } from 'commander'
import { type AddCommand, collect, examples } from './add-command.js'

const BACKENDS = 'internal, external or live'

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

/** The commands for the states of an image; most take a defined state too. */
export function addImageCommands(add: AddCommand): void {
  add(
    'show <target> [state]',
    'show the states of an image, or one of them',
    (command) =>
      withImageOptions(command).addHelpText(
        'after',
        examples('show disk.qcow2', 'show disk.qcow2 clean --json', 'show debian/nginx'),
      ),
    async () => (await import('../commands/show.js')).show,
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
    async () => (await import('../commands/check.js')).check,
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
    async () => (await import('../commands/get.js')).get,
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
    async () => (await import('../commands/set.js')).set,
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
    async () => (await import('../commands/unset.js')).unset,
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
    async () => (await import('../commands/push.js')).push,
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
    async () => (await import('../commands/pop.js')).pop,
  )
  add(
    'extract <target> <paths...>',
    'copy files and directories out of a disk, which is not booted',
    (command) =>
      command
        .option('--to <directory>', 'where they go, by their last names')
        .addHelpText(
          'after',
          examples(
            'extract debian/nginx /etc/nginx /var/log/syslog --to ./found',
            'extract disk.qcow2 /etc/fstab --to .',
          ),
        ),
    async () => (await import('../commands/extract.js')).extract,
  )
  add(
    'inject <target> <words...>',
    'copy files (SOURCE… PATH) into a new overlay on a disk, which is not booted',
    (command) =>
      command
        .option('--output <overlay>', 'the overlay to make; the disk itself stays as it is')
        .addHelpText(
          'after',
          examples(
            'inject debian/nginx ./site /var/www --output mine.qcow2',
            'inject disk.qcow2 hosts /etc/hosts --output mine.qcow2',
          ),
        ),
    async () => (await import('../commands/inject.js')).inject,
  )
}
