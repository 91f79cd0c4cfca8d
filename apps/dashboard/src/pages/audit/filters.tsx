import { Button, Group, NativeSelect, TextInput } from '@mantine/core'
import { WordField } from '../../parts/word-field.tsx'
import { type AuditSearch, isoOfLocal, localTime, outcomes } from './search.ts'

interface FiltersProps {
  readonly search: AuditSearch
  /** Names to choose from; any other name or id may be written. */
  readonly projects: readonly string[]
  readonly onChange: (change: AuditSearch) => void
}

const actions = ['create', 'update*', 'update/stop', 'delete', 'authenticate']

/** Of whom, what, and when. */
export function Filters({ search, projects, onChange }: FiltersProps) {
  const { project = '', user = '', action = '', outcome = '' } = search
  return (
    <Group gap="xs" align="end">
      <WordField
        label="Project"
        value={project}
        suggestions={projects}
        onChange={(text) => onChange({ project: text })}
      />
      <WordField label="User" value={user} onChange={(text) => onChange({ user: text })} />
      <WordField
        label="Action"
        value={action}
        suggestions={actions}
        maxLength={64}
        onChange={(text) => onChange({ action: text })}
      />
      <NativeSelect
        label="Outcome"
        value={outcome}
        onChange={({ currentTarget }) => onChange({ outcome: currentTarget.value })}
        data={[{ value: '', label: 'any' }, ...outcomes]}
      />
      <Time label="From" field="since" search={search} onChange={onChange} />
      <Time label="Until" field="until" search={search} onChange={onChange} />
      {Object.keys(search).length > 0 && (
        <Button
          variant="subtle"
          onClick={() => onChange({ project: '', user: '', action: '', outcome: '', since: '', until: '' })}
        >
          Clear
        </Button>
      )}
    </Group>
  )
}

interface TimeProps extends Pick<FiltersProps, 'search' | 'onChange'> {
  readonly label: string
  readonly field: 'since' | 'until'
}

function Time({ label, field, search, onChange }: TimeProps) {
  return (
    <TextInput
      type="datetime-local"
      label={label}
      value={localTime(search[field])}
      onChange={({ currentTarget }) => onChange({ [field]: isoOfLocal(currentTarget.value) })}
    />
  )
}
