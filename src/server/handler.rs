//! What the server answers to each request of the protocol. The work is done by whoever a request is for.

use std::sync::Arc;

use super::{
    completions, consent,
    procedure_tools::{self, PREFIX},
    progress::CallContext,
    prompts, reply, resources, rounds, skills,
    state::Server,
    tasks::{self, Done},
};
use crate::{
    domain::Hinted as _,
    library::{LibraryError, Services},
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestParams, CompleteResult,
        CustomRequest, CustomResult, ErrorCode, GetPromptRequestParams, GetPromptResponse, GetSkillRequestParams,
        GetSkillResult, GetTaskParams, GetTaskResult, ListPromptsResult, ListResourceTemplatesResult,
        ListResourcesResult, ListSkillsResult, ListToolsResult, PaginatedRequestParams,
        ReadResourceDirectoryRequestParams, ReadResourceDirectoryResult, ReadResourceRequestParams,
        ReadResourceResponse, ServerConfig, SubscribeRequestParams, SubscriptionFilter, UnsubscribeRequestParams,
        UpdateTaskParams,
    },
    service::{NotificationContext, RequestContext, SubscriptionContext},
};

/// The tool that executes.
const EXECUTE: &str = "execute_procedure";

impl Server {
    /// The same for what is no call of a tool.
    async fn opened(&self) -> Result<&Arc<Services>, ErrorData> {
        self.services().await.map_err(|error| ErrorData::internal_error(error.in_full(), None))
    }

    fn call_of(&self, context: &RequestContext<RoleServer>) -> CallContext {
        CallContext::of(context, !self.options.selection.read_only)
    }

    /// What a client calls by the name of a procedure is a call of `execute_procedure`.
    async fn by_its_own_name(&self, request: &mut CallToolRequestParams) {
        if !self.options.selection.procedure_tools || !request.name.starts_with(PREFIX) {
            return;
        }
        let Ok(services) = self.services().await else { return };
        let tools = procedure_tools::all(services).await.unwrap_or_default();
        if let Some(tool) = tools.iter().find(|tool| tool.listed.name == request.name) {
            request.arguments = Some(tool.call(request.arguments.take().unwrap_or_default()));
            request.name = EXECUTE.into();
        }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        (*self.info).clone()
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        tokio::spawn(self.clone().tell_peer(context.peer));
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut tools: Vec<_> = self.catalog.listed().map(|entry| entry.listed.clone()).collect();
        if self.options.selection.procedure_tools
            && let Ok(services) = self.services().await
        {
            let own = procedure_tools::all(services).await;
            tools.extend(own.unwrap_or_default().into_iter().map(|tool| tool.listed));
        }
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        mut request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.by_its_own_name(&mut request).await;
        let Some(entry) = self.catalog.find(&request.name) else {
            let known = self.catalog.advice(&request.name);
            let name: String = request.name.chars().take(100).collect();
            return Err(ErrorData::invalid_params(format!("there is no tool `{name}` here; {known}"), None));
        };
        let services = match self.services().await {
            Ok(services) => services,
            Err(error) => return Ok(reply::refusal(&error).into_response()),
        };
        let mut call = self.call_of(&context);
        if let Some(reply) = consent::answered(services, &mut request, &mut call) {
            return Ok(reply.into_response());
        }
        if let Some(reply) = rounds::go_on(services, &mut request, &call).await {
            return Ok(reply.into_response());
        }
        let arguments = request.arguments.unwrap_or_default();
        let knows_tasks = context.client_capabilities().is_some_and(|client| client.supports_tasks());
        if !(knows_tasks && entry.becomes_task()) {
            return Ok(entry.call(services, arguments, &call).await.into_response());
        }
        let run = call.run();
        let (request_ended, cancelled) = call.detach();
        let (catalog, called, name) = (Arc::clone(&self.catalog), Arc::clone(services), request.name);
        let work = tokio::spawn(async move {
            match catalog.find(&name) {
                Some(entry) => entry.call(&called, arguments, &call).await,
                None => reply::refusal(&LibraryError::internal("a tool went away while it was called")),
            }
        });
        Ok(match tasks::done_or_task(services, work, &run, (&request_ended, &cancelled)).await? {
            Done::Replied(reply) => reply.into_response(),
            Done::Task(task) => CallToolResponse::Task(task),
        })
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        let can_ask = self.call_of(&context).can_ask();
        Ok(GetTaskResult::new(tasks::get(self.opened().await?, &request.task_id, can_ask).await?))
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let call = self.call_of(&context);
        tasks::update(self.opened().await?, request, &call).await
    }

    async fn cancel_task(&self, request: CancelTaskParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        tasks::cancel(self.opened().await?, &request.task_id).await
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        completions::complete(self.opened().await?, request).await
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let mut listed = prompts::own();
        if self.options.selection.template_prompts {
            listed.extend(prompts::of_templates(self.opened().await?).await?);
        }
        Ok(ListPromptsResult::with_all_items(listed))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let with_templates = self.options.selection.template_prompts;
        Ok(prompts::get(self.opened().await?, request, with_templates).await?.into())
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        resources::list(self.opened().await?, request.and_then(|request| request.cursor)).await
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(resources::templates()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        Ok(resources::read(self.opened().await?, &request.uri).await?.into())
    }

    async fn subscribe(&self, request: SubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        resources::check_followed(&request.uri)?;
        if self.followed.add(self.opened().await?, request.uri).await {
            return Ok(());
        }
        Err(ErrorData::invalid_params("too many resources are followed; unsubscribe from some first", None))
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.followed.remove(&request.uri);
        Ok(())
    }

    async fn list_skills(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListSkillsResult, ErrorData> {
        skills::list(self.opened().await?, request.and_then(|request| request.cursor)).await
    }

    async fn get_skill(
        &self,
        request: GetSkillRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetSkillResult, ErrorData> {
        skills::get(self.opened().await?, &request.uri).await
    }

    async fn read_resource_directory(
        &self,
        request: ReadResourceDirectoryRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceDirectoryResult, ErrorData> {
        skills::directory(self.opened().await?, &request.uri).await
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        let mut accepted = requested.clone();
        if let Some(uris) = &mut accepted.resource_subscriptions {
            uris.retain(|uri| resources::can_be_followed(uri));
        }
        Some(accepted)
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        self.tell_subscription(&context).await;
        Ok(())
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let message = format!("there is no method `{}`", request.method.chars().take(100).collect::<String>());
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None))
    }
}
