export { vmStates } from './fixtures/plugin/vm-states.js'
export { type Config, defineConfig } from './params/config.js'
