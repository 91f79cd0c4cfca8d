export { type GlanceParts, glanceExchange } from './glance-exchange.ts'
