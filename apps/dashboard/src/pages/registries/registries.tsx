import { PasswordInput, TextInput } from '@mantine/core'
import type { RegistryView } from '@gantry/facade-native/views'
import { useQuery } from '@tanstack/react-query'
import { patch, post, registriesQuery, remove } from '../../api/lists.ts'
import { Ago } from '../../parts/ago.tsx'
import { FormDialog, textOf } from '../../parts/dialogs.tsx'
import { Listing } from '../../parts/listing.tsx'
import { Page } from '../../parts/page.tsx'

/** Registries elsewhere that images of the project are pulled from. */
export function Registries() {
  const query = useQuery(registriesQuery)
  return (
    <Page title="Registries">
      <Listing
        noun="registry"
        plural="registries"
        query={query}
        columns={[
          { label: 'Name', value: ({ name }) => name },
          { label: 'Domain', value: ({ domain }) => domain },
          { label: 'User', value: ({ username }) => username },
          { label: 'Password', value: ({ hasPassword }) => (hasPassword ? 'kept' : 'none') },
          { label: 'Created', value: ({ createdAt }) => createdAt, show: ({ createdAt }) => <Ago time={createdAt} /> },
        ]}
        nameOf={({ name }) => name}
        factsOf={(registry) => [
          ['Id', registry.id],
          ['Domain', registry.domain],
          ['User', registry.username],
          ['Password', registry.hasPassword ? 'kept encrypted, never shown' : 'none'],
          ['Changed', new Date(registry.updatedAt).toLocaleString()],
        ]}
        deeds={[
          { label: 'Change', form: (registry, close) => <ChangeRegistry registry={registry} onClose={close} /> },
          {
            label: 'Delete',
            isDangerous: true,
            question: () => 'Images of it can be pulled no longer, unless everybody may. What was pulled stays.',
            act: ({ id }) => remove(`/v1/registries/${id}`),
          },
        ]}
        create={{ label: 'Add registry', form: (close) => <AddRegistry onClose={close} /> }}
        about="Add a registry to launch private images from it: its user name and password are kept encrypted and used by the server alone."
      />
    </Page>
  )
}

function AddRegistry({ onClose }: { readonly onClose: () => void }) {
  return (
    <FormDialog
      title="Add registry"
      verb="Add"
      nouns={['registry']}
      onClose={onClose}
      onSubmit={(form) => post('/v1/registries', { domain: textOf(form, 'domain'), ...given(form) })}
    >
      <TextInput
        name="domain"
        label="Domain"
        placeholder="registry.example.com:5000"
        description="Without https:// and without a path"
        required
        data-autofocus
      />
      <Fields />
    </FormDialog>
  )
}

function ChangeRegistry({ registry, onClose }: { readonly registry: RegistryView; readonly onClose: () => void }) {
  return (
    <FormDialog
      title={`Change ${registry.name}`}
      verb="Change"
      nouns={['registry']}
      onClose={onClose}
      onSubmit={(form) => patch(`/v1/registries/${registry.id}`, given(form))}
    >
      <Fields registry={registry} />
    </FormDialog>
  )
}

function Fields({ registry }: { readonly registry?: RegistryView }) {
  return (
    <>
      <TextInput
        name="name"
        label="Name"
        description="Left empty: its domain"
        defaultValue={registry?.name ?? ''}
        maxLength={255}
      />
      <TextInput name="username" label="User name" defaultValue={registry?.username ?? ''} autoComplete="off" />
      <PasswordInput
        name="password"
        label="Password"
        autoComplete="new-password"
        {...(registry?.hasPassword === true && { description: 'Left empty: as it is' })}
      />
    </>
  )
}

function given(form: FormData): Record<string, string> {
  const [name, username] = [textOf(form, 'name'), textOf(form, 'username')]
  const password = form.get('password')
  return {
    ...(name !== undefined && { name }),
    ...(username !== undefined && { username }),
    ...(typeof password === 'string' && password !== '' && { password }),
  }
}
