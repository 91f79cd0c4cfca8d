import { Button, Group, NativeSelect, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useId, useState } from 'react'
import { type AuditSearch, isoOfLocal, localTime, outcomes } from './search.ts'

interface FiltersProps {
  readonly search: AuditSearch
  /** Names to choose from; any other name or id may be written. */
  readonly projects: readonly string[]
  readonly onChange: (change: AuditSearch) => void
}

/** Of whom, what, and when. */
export function Filters({ search, projects, onChange }: FiltersProps) {
  return (
    <Group gap="xs" align="end">
      <Words label="Project" field="project" suggestions={projects} search={search} onChange={onChange} />
      <Words label="User" field="user" search={search} onChange={onChange} />
      <Words
        label="Action"
        field="action"
        suggestions={['create', 'update*', 'update/stop', 'delete', 'authenticate']}
        search={search}
        onChange={onChange}
      />
      <NativeSelect
        label="Outcome"
        value={search.outcome ?? ''}
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

interface FieldProps<F extends keyof AuditSearch> extends Pick<FiltersProps, 'search' | 'onChange'> {
  readonly label: string
  readonly field: F
}

function Words({
  label,
  field,
  suggestions = [],
  search,
  onChange,
}: FieldProps<'project' | 'user' | 'action'> & { readonly suggestions?: readonly string[] }) {
  const asked = search[field] ?? ''
  const [text, setText] = useState(asked)
  const [known, setKnown] = useState(asked)
  // The address was changed by something else: `Clear`, or going back.
  if (known !== asked) {
    setKnown(asked)
    if (text.trim() !== asked) setText(asked)
  }
  const later = useDebouncedCallback((value: string) => onChange({ [field]: value }), 300)
  const list = useId()
  return (
    <>
      <TextInput
        label={label}
        value={text}
        list={list}
        maxLength={field === 'action' ? 64 : 255}
        onChange={({ currentTarget: { value } }) => {
          setText(value)
          later(value)
        }}
        w={150}
      />
      <datalist id={list}>
        {suggestions.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </>
  )
}

function Time({ label, field, search, onChange }: FieldProps<'since' | 'until'>) {
  return (
    <TextInput
      type="datetime-local"
      label={label}
      value={localTime(search[field])}
      onChange={({ currentTarget }) => onChange({ [field]: isoOfLocal(currentTarget.value) })}
    />
  )
}
