export type { BrokerOptions } from './broker.ts'
export { type NotifierOptions, notifierMark, runNotifier } from './notifier.ts'
