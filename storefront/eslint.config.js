import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["test-results", "playwright-report"] },
  js.configs.recommended,
  ts.configs.strict,
  {
    files: ["src/**"],
    plugins: { "react-hooks": hooks },
    rules: { ...hooks.configs.recommended.rules, "no-console": "error" },
  },
);
