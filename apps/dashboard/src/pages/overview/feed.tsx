import { Loader, Text } from '@mantine/core'
import type { ChangeView } from '@gantry/facade-native/views'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useChanges } from '../../api/live.ts'
import { merged, recentQuery } from '../../api/overview.ts'
import { sentenceOf, type Tone } from '../../api/sentences.ts'
import { Ago } from '../../parts/ago.tsx'
import { Failure } from '../../parts/failure.tsx'
import { ChangedObject } from '../../parts/object-link.tsx'
import classes from './overview.module.css'

const most = 60
/** Not what comes and goes with these: each container has a port. */
const nouns = [
  'container',
  'capsule',
  'image',
  'volume',
  'snapshot',
  'backup',
  'network',
  'router',
  'registry',
  'quota',
]
const filter = { most, types: nouns.map((noun) => `${noun}.*`).join(',') }
const colours: Readonly<Record<Tone, string>> = { plain: 'gray', good: 'teal', bad: 'red' }

/** What happened in the project, newest first; what happens now comes by itself. */
export function Feed() {
  const { data, error, refetch } = useQuery(recentQuery(filter))
  const heard = useChanges(most)
  const changes = useMemo(() => {
    const told = heard.filter(({ type }) => nouns.includes(type.split('.', 1)[0] ?? ''))
    return merged(told, data ?? [], most)
  }, [heard, data])
  if (error && !data)
    return <Failure error={error} what="What happened could not be read" onRetry={() => void refetch()} />
  if (!data) return <Loader size="sm" aria-label="Loading the activity" />
  if (changes.length === 0)
    return <Text c="dimmed">Nothing has happened yet. What you and others do in this project is told here.</Text>
  return (
    // What scrolls must be reachable with the keyboard (WCAG 2.1.1).
    <ol className={classes['feed']} tabIndex={0} aria-label="Activity, newest first">
      {changes.map((change) => (
        <Entry key={change.id} change={change} />
      ))}
    </ol>
  )
}

function Entry({ change }: { readonly change: ChangeView }) {
  const { name, text, tone } = sentenceOf(change)
  return (
    <li className={classes['entry']}>
      <span className={classes['dot']} style={{ background: `var(--mantine-color-${colours[tone]}-6)` }} />
      <Text size="sm">
        <ChangedObject change={change} name={name} /> {text}
      </Text>
      <Text size="xs" c="dimmed" component="span" style={{ whiteSpace: 'nowrap' }}>
        <Ago time={change.at} />
      </Text>
    </li>
  )
}
