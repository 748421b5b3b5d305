{{- define "cityvitals.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end -}}

{{- define "cityvitals.selector" -}}
app.kubernetes.io/name: cityvitals
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "cityvitals.labels" -}}
{{ include "cityvitals.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "cityvitals.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "cityvitals.edgeUrl" -}}
{{ if .Values.brokers.enabled }}mqtt://{{ include "cityvitals.name" . }}-mosquitto-edge:1883{{ else }}{{ required "brokers.urls.edge is required where brokers.enabled is false" .Values.brokers.urls.edge }}{{ end }}
{{- end -}}

{{- define "cityvitals.hubUrl" -}}
{{ if .Values.brokers.enabled }}mqtt://{{ include "cityvitals.name" . }}-mosquitto-hub:1883{{ else }}{{ required "brokers.urls.hub is required where brokers.enabled is false" .Values.brokers.urls.hub }}{{ end }}
{{- end -}}

{{- define "cityvitals.kafka" -}}
{{ required "engine.kafka is required where engine.enabled is true" .Values.engine.kafka }}
{{- end -}}

{{- define "cityvitals.checkpoints" -}}
{{ required "engine.checkpoints is required where engine.enabled is true" .Values.engine.checkpoints }}
{{- end -}}

{{/* A pod that restarts when settings or city files change. */}}
{{- define "cityvitals.checksum" -}}
checksum/settings: {{ include (print .Template.BasePath "/settings.yaml") . | sha256sum }}
{{- end -}}

{{- define "cityvitals.podSecurity" -}}
automountServiceAccountToken: false
terminationGracePeriodSeconds: 30 # time to store and acknowledge messages
securityContext:
  runAsNonRoot: true
  runAsUser: 10001 # of the image
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "cityvitals.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "cityvitals.environment" -}}
- name: CITYVITALS__STORE__URL
  value: {{ .Values.store.url | quote }}
{{- if .Values.cities }}
- name: CITYVITALS__CITY_FILES
  value: '[{{ range $index, $name := keys .Values.cities | sortAlpha }}{{ if $index }}, {{ end }}"cities/{{ $name }}"{{ end }}]'
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Processes without HTTP touch a file while they work; the container is restarted after a minute without. */}}
{{- define "cityvitals.pulse" -}}
exec:
  command: ["python", "-c", "import os, time; assert time.time() - os.path.getmtime('/run/cityvitals/pulse') < 60"]
periodSeconds: 10
timeoutSeconds: 5
failureThreshold: 3
{{- end -}}

{{- define "cityvitals.mounts" -}}
- {name: settings, mountPath: /etc/cityvitals, readOnly: true}
- {name: secrets, mountPath: /run/secrets, readOnly: true}
- {name: run, mountPath: /run/cityvitals}
- {name: tmp, mountPath: /tmp}
{{- end -}}

{{/* .root, .secrets: the files of the Secret that this process may read */}}
{{- define "cityvitals.volumes" -}}
- name: settings
  configMap:
    name: {{ include "cityvitals.name" .root }}
    items:
      - {key: cityvitals.toml, path: cityvitals.toml}
      {{- range $name := keys .root.Values.cities | sortAlpha }}
      - {key: {{ $name }}, path: cities/{{ $name }}}
      {{- else }}
      - {key: example.toml, path: cities/example.toml}
      {{- end }}
- name: secrets
  secret:
    secretName: {{ .root.Values.secretName }}
    defaultMode: 0440
    items:
      {{- range .secrets }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
- {name: run, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
- {name: tmp, emptyDir: {}}
{{- end -}}

{{- define "cityvitals.claim" -}}
- metadata: {name: data}
  spec:
    accessModes: [ReadWriteOnce]
    {{- with .storageClassName }}
    storageClassName: {{ . }}
    {{- end }}
    resources: {requests: {storage: {{ .storage }}}}
{{- end -}}
