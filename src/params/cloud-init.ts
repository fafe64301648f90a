import { z } from 'zod'
import { optionsSchema } from './options.js'

const HOST_NAME = 'a host name is made of letters, digits, "-" and "."'

/** The name of a host, as RFC 1123 has it. */
export const hostNameSchema = z
  .string(HOST_NAME)
  .max(253, 'a host name has at most 253 characters')
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i, HOST_NAME)

const SSH_KEY = 'an ssh key is a line of a .pub file, such as "ssh-ed25519 AAAA… me@host"'

/** A public key, as it stands in `authorized_keys`. */
export const sshKeySchema = z
  .string(SSH_KEY)
  .trim()
  .regex(/^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3}( [^\n]*)?$/, SSH_KEY)

const USER_NAME =
  'the name of a user starts with a letter or "_" and goes on with letters, digits, "_", "-", "."'

/** The name of a user of the guest. */
export const userNameSchema = z
  .string(USER_NAME)
  .max(32, 'the name of a user has at most 32 characters')
  .regex(/^[a-z_][a-z0-9_.-]*\$?$/i, USER_NAME)

const userSchema = optionsSchema({
  name: userNameSchema,
  sshKeys: z.array(sshKeySchema).default([]),
  /** In plain text. */
  password: z.string('a password is text').min(1, 'a password cannot be empty').optional(),
  /** Whether the user may do everything by `sudo`, without a password; or a rule of sudoers. */
  sudo: z.union([z.boolean(), z.string()], 'sudo is true, false or a rule of sudoers').optional(),
  groups: z.array(z.string()).default([]),
  /** Absolute path. */
  shell: z.string('a shell is a path').startsWith('/', 'a shell is an absolute path').optional(),
})

const documentSchema = z.record(z.string(), z.json(), 'it is an object that JSON can hold')

const USER_DATA =
  'userData is an object of further keys of cloud-config, or the text of a whole user-data file'

/** What the ids of instances begin with: a guest tells by it that its seed was made of a definition. */
export const INSTANCE_PREFIX = 'vm-states-'

/** Keys of cloud-config that are made of options of ours. */
const OWN_KEYS: Readonly<Record<string, string>> = {
  hostname: 'hostname',
  users: 'users',
  ssh_authorized_keys: 'sshKeys',
  packages: 'packages',
  runcmd: 'runcmd',
}

/** What cloud-init does in a guest, the first time that it boots. */
export const cloudInitSchema = optionsSchema({
  hostname: hostNameSchema.optional(),
  users: z.array(userSchema).default([]),
  /** For the image's own user, such as `debian` or `ubuntu`. */
  sshKeys: z.array(sshKeySchema).default([]),
  packages: z.array(z.string('a package is a name').min(1, 'a package is a name')).default([]),
  /** Commands: lines for a shell, or programs with their arguments. */
  runcmd: z
    .array(
      z.union(
        [z.string(), z.array(z.string()).min(1)],
        'a command is a line for the shell, or a program and its arguments in an array',
      ),
    )
    .default([]),
  /** In the form of cloud-init's network configuration, version 2 unless it says another one. */
  network: documentSchema.optional(),
  userData: z.union([z.string(), documentSchema], USER_DATA).optional(),
}).check(({ value, issues }) => {
  const { userData } = value
  if (userData === undefined) return
  const refuse = (message: string) =>
    issues.push({ code: 'custom', input: userData, path: ['userData'], message })
  if (typeof userData === 'string') {
    if (!/^(#|MIME-Version:|Content-Type:)/i.test(userData)) {
      refuse('a user-data file starts with "#cloud-config" or "#!"')
    }
    const others = (['users', 'sshKeys', 'packages', 'runcmd'] as const).filter(
      (name) => value[name].length > 0,
    )
    if (others.length > 0) {
      refuse(`a whole user-data file goes without ${others.join(', ')}, which it would hold`)
    }
    return
  }
  for (const key of Object.keys(userData)) {
    const option = OWN_KEYS[key]
    if (option !== undefined) refuse(`"${key}" is written as the option "${option}" of cloudInit`)
  }
})

/** What cloud-init is told, with defaults filled in. */
export type CloudInit = z.output<typeof cloudInitSchema>
