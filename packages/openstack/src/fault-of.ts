import { assertNever, Fault, type FaultCode } from '@gantry/kernel'
import type { OpenStackError } from './openstack-error.ts'

const codes: Readonly<Record<number, FaultCode>> = {
  401: 'service.unauthenticated',
  403: 'service.forbidden',
  404: 'service.not-found',
  405: 'service.unsupported',
  406: 'service.unsupported',
  409: 'service.conflict',
  410: 'service.not-found',
  412: 'service.conflict',
  413: 'service.too-large',
  423: 'service.conflict',
  429: 'service.unavailable',
  501: 'service.unsupported',
  502: 'service.unavailable',
  503: 'service.unavailable',
  504: 'service.unavailable',
}

/** The fault that a failed call is for whoever asked us. */
export function faultOf(error: OpenStackError): Fault {
  const { service, failure } = error
  // Addresses within the cloud are for its operator, who finds them in the log.
  const reason = failure === 'unreachable' ? 'it does not answer' : error.reason
  return new Fault(codeOf(error), { service, reason }, error)
}

function codeOf(error: OpenStackError): FaultCode {
  const { failure, status } = error
  switch (failure) {
    case 'unreachable':
      return 'service.unavailable'
    case 'unreadable':
      return 'service.failed'
    case 'unfit':
      return 'service.unsupported'
    case 'answer': {
      if (isOverQuota(error)) return 'service.over-quota'
      return codes[status ?? 500] ?? ((status ?? 500) < 500 ? 'service.invalid' : 'service.failed')
    }
    default:
      return assertNever(failure, 'failure')
  }
}

/** Neutron answers 409, Nova 403, Cinder and Glance 413: each has its words for the same thing. */
function isOverQuota({ status, code, reason }: OpenStackError): boolean {
  if (code === 'OverQuota' || code === 'overLimit') return true
  return (status === 403 || status === 413 || status === 409) && /\bquota\b|exceeds allowed/i.test(reason)
}
