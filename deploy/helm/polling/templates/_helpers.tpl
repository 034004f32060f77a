{{/* Labels of an object. Give it (dict "root" $ "name" NAME "component" COMPONENT). */}}
{{- define "polling.labels" -}}
{{ include "polling.selector" . }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: polling
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{/* What selects its pods: it never changes. */}}
{{- define "polling.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "polling.scheduler" -}}
{{ .Release.Name }}-scheduler
{{- end }}

{{/* A worker's settings over the defaults, as YAML. Give it (dict "root" $ "worker" ENTRY). */}}
{{- define "polling.worker" -}}
{{ mergeOverwrite (deepCopy .root.Values.workerDefaults) .worker | toYaml }}
{{- end }}

{{/* Variables from a Secret. */}}
{{- define "polling.secretEnv" -}}
{{- $secret := . -}}
{{- range $variable, $key := .env }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret.name }}
      key: {{ $key }}
{{- end }}
{{- end }}

{{- define "polling.secretVolume" -}}
- name: secrets
  secret:
    secretName: {{ .name }}
    items:
      {{- range .files }}
      - key: {{ . }}
        path: {{ . }}
      {{- end }}
{{- end }}

{{/* How the kubelet asks one question. Give it (dict "form" FORM "http" PORT "grpc" PORT "path" PATH "service" SERVICE). */}}
{{- define "polling.ask" -}}
{{- if eq .form "http" -}}
httpGet:
  path: {{ .path }}
  port: {{ .http }}
{{- else if eq .form "grpc" -}}
grpc:
  port: {{ .grpc }}
  service: {{ .service }}
{{- else -}}
exec:
  command: [/usr/local/bin/health-probe, --http, "http://127.0.0.1:{{ .http }}{{ .path }}", --timeout, 4s]
{{- end }}
{{- end }}

{{- define "polling.probes" -}}
# It opens stores and queues before it serves: 2 min for that.
startupProbe:
  {{- include "polling.ask" (merge (dict "path" "/healthz" "service" "liveness") .) | nindent 2 }}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 60
# Restarted when the process does not answer, or does not get on.
livenessProbe:
  {{- include "polling.ask" (merge (dict "path" "/healthz" "service" "liveness") .) | nindent 2 }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
# A rollout goes on once what it needs answers.
readinessProbe:
  {{- include "polling.ask" (merge (dict "path" "/readyz" "service" "readiness") .) | nindent 2 }}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end }}

{{- define "polling.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "polling.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Over nodes and zones. Give it what polling.selector takes. */}}
{{- define "polling.spread" -}}
{{- $ := . -}}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "polling.selector" $ | nindent 6 }}
{{- end }}
{{- end }}

{{/* Where pods run. Give it (dict "root" $ "settings" SETTINGS). */}}
{{- define "polling.placement" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}
