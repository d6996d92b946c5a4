import hooks from "eslint-plugin-react-hooks";
import typescript from "typescript-eslint";

// What comes from a cluster is text: nothing here may make markup, script or style out of it.
const MARKUP = [
  "innerHTML", "outerHTML", "insertAdjacentHTML", "dangerouslySetInnerHTML", "srcdoc", "document.write",
].map((name) => ({
  selector: name.includes(".")
    ? "MemberExpression[object.name='document'][property.name='write']"
    : `:matches(MemberExpression[property.name='${name}'], JSXAttribute[name.name='${name}'], Property[key.name='${name}'])`,
  message: "nothing is ever rendered as HTML",
}));

export default typescript.config(
  { ignores: ["dist", "node_modules", "src/api/schema.d.ts", "pictures", "test-results"] },
  ...typescript.configs.recommendedTypeChecked,
  hooks.configs.flat["recommended-latest"],
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Nothing is compiled by the React compiler, which is what this rule is about.
      "react-hooks/incompatible-library": "off",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-console": "error",
      "no-restricted-syntax": ["error", ...MARKUP],
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true, argsIgnorePattern: "^_" }],
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": "error",
    },
  },
  { files: ["**/*.js", "**/*.mjs"], ...typescript.configs.disableTypeChecked },
  { files: ["simulator/**", "browser/**", "build/**"], rules: { "no-console": "off" } },
);
