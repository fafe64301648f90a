export { type Config, defineConfig } from './params/config.js'
