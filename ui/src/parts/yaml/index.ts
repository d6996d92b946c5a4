// YAML of a cluster's objects: reading, editing, comparing, writing. For any page that shows or changes objects.

export { ApplyDialog } from "./ApplyDialog.tsx";
export { readObjects, readYaml, writeYaml } from "./guard.ts";
export { covered, forEditing, isSecret, uncovered, withoutBookkeeping } from "./look.ts";
export { kindOf, write, type Kind } from "./write.ts";
export { YamlDiff } from "./YamlDiff.tsx";
export { YamlEditor } from "./YamlEditor.tsx";
