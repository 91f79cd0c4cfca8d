import { CloseButton, Group, MultiSelect, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import type { ContainerSearch } from './search.ts'

interface FiltersProps {
  readonly search: ContainerSearch
  readonly counts: readonly (readonly [status: string, count: number])[]
  readonly onChange: (change: ContainerSearch) => void
}

/** Words and statuses that the list is to have; both are kept in the address. */
export function Filters({ search, counts, onChange }: FiltersProps) {
  const [text, setText] = useState(search.q ?? '')
  const later = useDebouncedCallback((q: string) => onChange({ q }), 150)
  const write = (q: string) => {
    setText(q)
    later(q)
  }
  const chosen = search.status?.split(',') ?? []
  const known = [...new Set([...counts.map(([status]) => status), ...chosen])]
  const countOf = (status: string) => counts.find(([name]) => name === status)?.[1] ?? 0
  return (
    <Group gap="xs" align="flex-start">
      <TextInput
        value={text}
        onChange={({ currentTarget }) => write(currentTarget.value)}
        aria-label="Filter containers"
        placeholder="Name, image, address, label…"
        type="search"
        leftSection={<IconSearch size={16} aria-hidden />}
        rightSection={text !== '' && <CloseButton size="sm" aria-label="Clear the filter" onClick={() => write('')} />}
        flex="1 1 220px"
        maw={420}
      />
      <MultiSelect
        data={known.map((status) => ({ value: status, label: `${status} (${countOf(status)})` }))}
        value={chosen}
        onChange={(statuses) => onChange({ status: statuses.join(',') })}
        aria-label="Statuses to show"
        {...(chosen.length === 0 && { placeholder: 'All statuses' })}
        clearable
        flex="1 1 200px"
        maw={420}
      />
    </Group>
  )
}
