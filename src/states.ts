export { image } from './images/image.js'
export { type Config, defineConfig } from './params/config.js'
export { isVmStatesError, VmStatesError } from './params/errors.js'
export { machine } from './states/definitions/machine.js'
export type {
  Liveness,
  LiveStateOptions,
  MachineDefinition,
  MachineOptions,
  Setup,
  State,
  StateOptions,
  Vm,
} from './states/definitions/types.js'
