import type { ChangeView } from '@gantry/facade-native/views'

/** Whether what happened is good, bad or neither. */
export type Tone = 'plain' | 'good' | 'bad'

export interface Sentence {
  /** What it is about, by name. */
  readonly name: string
  /** What follows the name: `was created`. */
  readonly text: string
  readonly tone: Tone
}

interface Words {
  readonly is: string
  readonly was: string
  readonly failed: string
}

/** What is said of a container that something is done to. */
const deeds: Readonly<Record<string, Words>> = {
  create: { is: 'is being created', was: 'was created', failed: 'could not be created' },
  delete: { is: 'is being deleted', was: 'was deleted', failed: 'could not be deleted' },
  start: { is: 'is being started', was: 'was started', failed: 'could not be started' },
  stop: { is: 'is being stopped', was: 'was stopped', failed: 'could not be stopped' },
  reboot: { is: 'is being restarted', was: 'was restarted', failed: 'could not be restarted' },
  pause: { is: 'is being paused', was: 'was paused', failed: 'could not be paused' },
  unpause: { is: 'is being resumed', was: 'was resumed', failed: 'could not be resumed' },
  kill: { is: 'is being sent a signal', was: 'was sent a signal', failed: 'could not be sent a signal' },
  rebuild: { is: 'is being rebuilt', was: 'was rebuilt', failed: 'could not be rebuilt' },
  move: { is: 'is being moved', was: 'was moved', failed: 'could not be moved' },
  commit: { is: 'is being made an image of', was: 'was made an image of', failed: 'could not be made an image of' },
  update: { is: 'is being changed', was: 'was changed', failed: 'could not be changed' },
  network_attach: {
    is: 'is being plugged into a network',
    was: 'was plugged into a network',
    failed: 'could not be plugged into a network',
  },
  network_detach: {
    is: 'is being unplugged from a network',
    was: 'was unplugged from a network',
    failed: 'could not be unplugged from a network',
  },
  add_security_group: {
    is: 'is joining a security group',
    was: 'joined a security group',
    failed: 'could not join a security group',
  },
  remove_security_group: {
    is: 'is leaving a security group',
    was: 'left a security group',
    failed: 'could not leave a security group',
  },
}

/** What happened, for a person. */
export function sentenceOf({ type, objectId, data }: Pick<ChangeView, 'type' | 'objectId' | 'data'>): Sentence {
  const [noun = '', verb = '', phase] = type.split('.')
  const name = nameOf(data, objectId)
  if (type === 'container.status') return statusSentence(name, data)
  const words = noun === 'container' ? deeds[verb] : undefined
  if (words) return deedSentence(name, words, phase, text(data['error']))
  if (noun === 'quota') return { name: 'The quota', text: 'was changed', tone: 'plain' }
  const done = { create: 'was created', update: 'was changed', delete: 'was deleted' }[verb] ?? verb
  return {
    name: `${nounText(noun)} ${name}`,
    text: `${done}${stateOf(verb, data)}`,
    tone: data['status'] === 'error' ? 'bad' : 'plain',
  }
}

function deedSentence(name: string, { is, was, failed }: Words, phase: string | undefined, error: string): Sentence {
  if (phase === 'start') return { name, text: is, tone: 'plain' }
  if (phase === 'end') return { name, text: was, tone: 'good' }
  return { name, text: error === '' ? failed : `${failed}: ${error}`, tone: 'bad' }
}

function statusSentence(name: string, data: ChangeView['data']): Sentence {
  const [status, reason, exitCode] = [text(data['status']), text(data['statusReason']), data['exitCode']]
  if (status === 'Stopped') {
    const how = typeof exitCode === 'number' ? `ended with exit code ${exitCode}` : 'ended'
    return { name, text: how, tone: exitCode === 0 ? 'plain' : 'bad' }
  }
  const said = reason === '' ? '' : `: ${reason}`
  const isBad = status === 'Error' || status === 'Unknown' || status === 'Dead'
  return { name, text: `is now ${status}${said}`, tone: isBad ? 'bad' : 'plain' }
}

/** `floating IP` of `floating_ip`. */
export function nounText(noun: string): string {
  return noun.replaceAll('_', ' ').replace(/\bip\b/, 'IP')
}

function nameOf(data: ChangeView['data'], otherwise: string): string {
  const { repo, tag, address, addresses } = data
  if (typeof data['name'] === 'string' && data['name'] !== '') return data['name']
  if (typeof repo === 'string') return typeof tag === 'string' ? `${repo}:${tag}` : repo
  // Floating IPs have no names, and ports seldom do.
  const [first = address] = Array.isArray(addresses) ? (addresses as unknown[]) : []
  if (typeof first === 'string') return first
  return otherwise.slice(0, 8)
}

/** Volumes, their copies and images are made step by step. */
function stateOf(verb: string, data: ChangeView['data']): string {
  const status = text(data['status'])
  return verb === 'update' && status !== '' ? `, it is ${status}` : ''
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
