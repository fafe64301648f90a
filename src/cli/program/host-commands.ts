import { type AddCommand, examples } from './add-command.js'

/** The commands for the store and the host. */
export function addHostCommands(add: AddCommand): void {
  add(
    'gc',
    'remove from the store what is of no use, or was not used for long',
    (command) =>
      command
        .option('--max-size <size>', 'what the store may have, by default of the configuration')
        .option('--max-age <duration>', 'how long a state is kept that nobody uses')
        .option('--dry-run', 'only tell what would be removed')
        .addHelpText('after', examples('gc --dry-run', "gc --max-size '8 GiB' --max-age '7 days'")),
    async () => (await import('../commands/gc.js')).gc,
  )
  add(
    'verify [names...]',
    'read what is in the store, and tell what is damaged (exit code 0 or 3)',
    (command) => command.addHelpText('after', examples('verify', 'verify debian/nginx')),
    async () => (await import('../commands/verify.js')).verify,
  )
  add(
    'doctor',
    'tell what of QEMU and this host is there, and how to mend what is not',
    (command) =>
      command
        .option('--self-test', 'boot, save and restore a tiny guest')
        .addHelpText('after', examples('doctor', 'doctor --self-test')),
    async () => (await import('../commands/doctor.js')).doctor,
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
    async () => (await import('../commands/convert.js')).convert,
  )
}
