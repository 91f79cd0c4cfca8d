import { TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { identity, projectsQuery } from '../../api/identity.ts'
import { FormDialog, textOf } from '../../parts/dialogs.tsx'
import { Listing } from '../../parts/listing.tsx'

export function ProjectList() {
  const query = useQuery(projectsQuery)
  return (
    <Listing
      noun="project"
      query={query}
      columns={[
        { label: 'Name', value: ({ name }) => name },
        { label: 'Description', value: ({ description }) => description },
        { label: 'State', value: ({ enabled }) => (enabled ? 'enabled' : 'disabled') },
      ]}
      nameOf={({ name }) => name}
      factsOf={(project) => [
        ['Id', project.id],
        ['Description', project.description],
        ['State', project.enabled ? 'enabled' : 'disabled: nobody can sign in to it'],
        ['Domain', project.domain_id],
      ]}
      deeds={[
        {
          label: 'Disable',
          isPossible: ({ enabled }) => enabled,
          question: () => 'Nobody can sign in to it until it is enabled again. What runs in it runs on.',
          act: ({ id }) => identity('PATCH', `/projects/${id}`, { project: { enabled: false } }),
        },
        {
          label: 'Enable',
          isPossible: ({ enabled }) => !enabled,
          act: ({ id }) => identity('PATCH', `/projects/${id}`, { project: { enabled: true } }),
        },
        {
          label: 'Delete',
          isDangerous: true,
          question: () => 'Delete its containers, volumes and networks before: nobody can reach them afterwards.',
          act: ({ id }) => identity('DELETE', `/projects/${id}`),
        },
      ]}
      touches={['session']}
      create={{ label: 'Create project', form: (close) => <CreateProject onClose={close} /> }}
      about="A project is what containers, networks, volumes, images and quotas belong to."
    />
  )
}

function CreateProject({ onClose }: { readonly onClose: () => void }) {
  const create = (form: FormData) =>
    identity('POST', '/projects', {
      project: { name: textOf(form, 'name'), description: textOf(form, 'description') ?? '' },
    })
  return (
    <FormDialog title="Create project" verb="Create" nouns={['project']} onClose={onClose} onSubmit={create}>
      <TextInput name="name" label="Name" maxLength={64} required data-autofocus />
      <TextInput name="description" label="Description" />
    </FormDialog>
  )
}
