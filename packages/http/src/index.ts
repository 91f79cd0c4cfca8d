export { apart } from './apart.ts'
export { lingerMs } from './bodies.ts'
export { audit, type AuditOptions, type AuditWriter } from './audit.ts'
export { baseUrl, createHttpApp, type HttpOptions, nothingElse, requestId } from './app.ts'
export {
  type AuthenticateOptions,
  authenticate,
  callerOf,
  noteCaller,
  noteUser,
  tokenOf,
  type Verifier,
  type WhoAsks,
  whoAsks,
} from './auth.ts'
export { createGuards, type Guards, protect, type RequestLimits, retryAfter } from './limits.ts'
export { type Draining, draining } from './draining.ts'
export { createHttpMetrics, createRegistry, facadeOf, type HttpMetrics, type RequestLabels } from './metrics.ts'
export { openApi, type OpenApiOptions } from './open-api.ts'
export {
  type CheckResult,
  observe,
  operations,
  type OperationsOptions,
  type ReadinessCheck,
  runChecks,
} from './operations.ts'
export { answerFault } from './fault-answer.ts'
export { isRequestId } from './request-id.ts'
export { type ShowingRequest, shownCredential } from './shown-credential.ts'
export { statusOfKind } from './status.ts'
export { sendStream, streamSignal, whenClosed } from './stream.ts'
export { isYes } from './yes.ts'
export type { TypeBoxProvider } from './typed.ts'
export { countUpgrade, onUpgrade, type UpgradeRoute } from './upgrades.ts'
export { validatorCompiler } from './validator.ts'
