export { isVmStatesError, VmStatesError } from './params/errors.js'
