import './params/disposal-symbols.js'

export { type SshKey, storeSshKey } from './guest/ssh/ssh-key.js'
export { image } from './images/image.js'
export { type Config, defineConfig } from './params/config.js'
export { isVmStatesError, VmStatesError } from './params/errors.js'
export { environment } from './states/definitions/environment.js'
export { machine } from './states/definitions/machine.js'
export type {
  EnvironmentDefinition,
  EnvironmentState,
  JointSetup,
  Liveness,
  LiveStateOptions,
  MachineDefinition,
  MachineOptions,
  Setup,
  State,
  StateOptions,
  Vm,
  Vms,
} from './states/definitions/types.js'
